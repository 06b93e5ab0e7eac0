"""What a reader sees in a text, whatever its letters are: accents, letters of other alphabets that look like Latin,
digits in the place of letters, traditional characters, and what is not seen at all."""

import re
import unicodedata
from dataclasses import dataclass

UNSEEN = ("Cf", "Mn", "Me")
"""Categories of Unicode that take no room of their own: joiners, soft hyphens, marks above and below."""
# One line an alphabet, its letters above the Latin ones that they look like.
LATIN = {
    ord(letter): latin
    for letters, latins in (
        ("авеёзкмнорстухіјѕԁһԛԝпг", "abee3kmhopctyxijsdhqwnr"),
        ("αβεικνορτυχωγϲ", "abeiknoptuxwyc"),
        ("ıɑɡɩʟøłđħ", "iagilold" + "h"),
    )
    for letter, latin in zip(letters, latins, strict=True)
}
SIMPLIFIED = {
    ord(old): new
    for olds, news in (
        ("後負債錢務還貸討費結償罰納滯約違賬帳單應", "后负债钱务还贷讨费结偿罚纳滞约违账账单应"),
        ("產訴訟師決強執凍徵傳徑斷書責報監獄鄰親發", "产诉讼师决强执冻征传径断书责报监狱邻亲发"),
        ("騙詐給讓機會聯訊錄門潑遞檢員達區記電氣獎", "骗诈给让机会联讯录门泼递检员达区记电气奖"),
        ("領學賴著貼號權樣寬戶處", "领学赖着贴号权样宽户处"),
    )
    for old, new in zip(olds, news, strict=True)
}
_NEXT_TO_A_LETTER = re.compile(r"(?<=[a-z])[0134578@$]|[0134578@$](?=[a-z])")


@dataclass(frozen=True)
class Looks:
    """`plain`: the text as it looks, in small letters; `places`: where each of its letters stands in the text."""

    text: str
    plain: str
    places: tuple[int, ...]

    @classmethod
    def of(cls, text: str) -> "Looks":
        letters: list[str] = []
        places: list[int] = []
        for place, given in enumerate(text):
            for letter in _looks(given):
                letters.append(letter)
                places.append(place)
        return cls(text, "".join(letters), tuple(places))

    @property
    def spellings(self) -> tuple[str, ...]:
        """As it stands there, and with digits read as the letters that they may be put for; all of one length."""
        read = {self.plain, *(_read(self.plain, one) for one in "li")}
        return tuple(sorted(read, key=lambda spelt: spelt != self.plain))

    def original(self, begins: int, ends: int) -> str:
        """That part of what it looks like, as it stands in the text."""
        first, last = self.places[begins], self.places[ends - 1]
        return unicodedata.normalize("NFKC", self.text[first : last + 1]).casefold().strip()


def _looks(given: str) -> str:
    if given.isascii():
        return given.lower()
    apart = unicodedata.normalize("NFKD", given).casefold()
    seen = "".join(letter for letter in apart if unicodedata.category(letter) not in UNSEEN)
    return seen.translate(LATIN).translate(SIMPLIFIED)


def _read(plain: str, one: str) -> str:
    """`one`: what the digit 1 is read as."""
    letters = {"0": "o", "1": one, "3": "e", "4": "a", "5": "s", "7": "t", "8": "b", "@": "a", "$": "s"}
    read = _NEXT_TO_A_LETTER.sub(lambda digit: letters[digit.group()], plain)
    # A row of digits takes its letters from both ends.
    return _NEXT_TO_A_LETTER.sub(lambda digit: letters[digit.group()], read)
