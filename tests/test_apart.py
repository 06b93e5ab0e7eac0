"""What fails of one stops no other, is told at the end, and repeats nobody's row; a database that is away is not asked
again for every part."""

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

from fieldvisit.apart import Apart, LeftUndone


def test_every_part_is_tried_and_the_run_fails_at_the_end_without_the_words_of_the_database(engine: sa.Engine) -> None:
    apart, done = Apart(), []
    with capture_logs() as logs:
        for number in range(3):
            with apart.each("copies", number=number), engine.begin() as connection:
                if number == 1:
                    connection.execute(sa.text("select cast('Meri Example' as integer)"))
                done.append(number)
    with pytest.raises(LeftUndone, match="1 failed: copies") as raised:
        apart.end()
    assert (done, raised.value.__cause__, raised.value.__context__) == ([0, 2], None, None)
    (line,) = logs
    assert (line["what"], line["number"], line["error"], line["sqlstate"]) == (
        "copies",
        "1",
        "InvalidTextRepresentation",
        "22P02",
    )
    assert "Meri" not in str(logs)


def test_where_nothing_failed_nothing_is_raised() -> None:
    apart = Apart()
    with apart.each("nothing"):
        pass
    apart.end()


def test_a_database_that_cannot_be_reached_ends_the_run() -> None:
    nowhere = sa.create_engine("postgresql+psycopg://nobody@127.0.0.1:1/nothing", poolclass=sa.NullPool)
    with pytest.raises(OperationalError), Apart().each("anything"), nowhere.connect():
        pass
