"""What is sent to people, and where it stands."""

from enum import StrEnum


class AlarmChannel(StrEnum):
    """How an alarm reaches a person."""

    SMS = "sms"
    VOICE = "voice"
    PUSH = "push"
    MAIL = "mail"


class MessagePurpose(StrEnum):
    """Why there is a message. What ends with `soon`, and `overdue`, reminds a visitor before a deadline passes."""

    ALARM = "alarm"
    REMINDER = "reminder"
    CHECK_IN_SOON = "check_in_soon"
    OVERDUE = "overdue"
    END_SOON = "end_soon"
    ARRIVAL_SOON = "arrival_soon"
    LEAVING_SOON = "leaving_soon"
    ALL_CLEAR = "all_clear"
    TAKEN = "taken"
    CONTACT_TEST = "contact_test"
    WATCH_FAILS = "watch_fails"
    DRILL_OWED = "drill_owed"
    OUTAGE = "outage"
    COVER_GAP = "cover_gap"
    POLICE_UNDECIDED = "police_undecided"
    SLOW_WEEK = "slow_week"
    NEW_DOOR = "new_door"
    MARKER_REVIEW_DUE = "marker_review_due"


class MessageRecipient(StrEnum):
    """`device`: the phone of a visitor or of an officer, by its push token. `buddy`: the colleague whom the visitor
    named."""

    OFFICER = "officer"
    VISITOR = "visitor"
    EXTERNAL = "external"
    DEVICE = "device"
    BUDDY = "buddy"


class MessageState(StrEnum):
    """`sent` is what a provider says; `delivered` and `answered` are what a signed receipt says."""

    QUEUED = "queued"
    SENT = "sent"
    DELIVERED = "delivered"
    ANSWERED = "answered"
    UNDELIVERABLE = "undeliverable"
    DROPPED = "dropped"


class NoticeState(StrEnum):
    """`queued` waits for a provider, or for a person who hands the letter over; `sent` is what they say; `delivered`
    and `undeliverable` are what a receipt says. `dead`: given up. `held_back`: a contact block forbids it.
    `withdrawn`: it no longer holds."""

    QUEUED = "queued"
    SENT = "sent"
    DELIVERED = "delivered"
    UNDELIVERABLE = "undeliverable"
    DEAD = "dead"
    HELD_BACK = "held_back"
    WITHDRAWN = "withdrawn"


class NoteBreach(StrEnum):
    """What was wrong with a note that was left at a door."""

    NOT_ALLOWED = "not_allowed"
    NOT_SEALED = "not_sealed"


class NoticeOffence(StrEnum):
    """Why a phrase may not stand in a notice; DEBT and LEGAL only where others read along, VISIT_THREAT only in a text
    that asks for money, under a policy that says so."""

    THREAT = "threat"
    DISGUISE = "disguise"
    DEBT = "debt"
    LEGAL = "legal"
    VISIT_THREAT = "visit_threat"
