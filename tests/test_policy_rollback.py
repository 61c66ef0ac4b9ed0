"""Going back to a policy that was in force: as many signatures as going on takes, and nothing outlives them."""

import pytest

from pipeline.policy.book import SETTLE_MS
from schemas.reasons import RefusalReason as Reason
from schemas.timestamps import MS_PER_DAY
from tests.policy_story import NOW, Story, yaml


@pytest.fixture
def story() -> Story:
    return Story()


def test_rolling_back_takes_the_same_signatures_and_seconds(story: Story) -> None:
    second = yaml(2)
    story.enact(second, story.first)
    assert story.version == 2
    assert story.roll_back("dan", story.first) is Reason.NOT_AUTHORISED
    assert story.roll_back("ana", story.first) is None
    assert story.roll_back("ana", story.first) is Reason.SAME_PERSON_TWICE
    story.now_ms += SETTLE_MS
    assert story.version == 2
    assert story.roll_back("ben", story.first) is None
    story.now_ms += SETTLE_MS
    assert story.version == 1
    assert story.propose("ana", yaml(2, approvals=1), base=story.first) is Reason.VERSION_NOT_NEXT
    story.enact(yaml(3), story.first)
    assert story.version == 3


def test_only_what_was_in_force_can_be_gone_back_to(story: Story) -> None:
    assert story.roll_back("ana", yaml(2)) is Reason.NEVER_APPROVED
    assert story.roll_back("ana", story.first) is Reason.ALREADY_DECIDED
    later, sooner = yaml(2), yaml(3)
    story.propose("dan", later)
    story.approve("ana", later, NOW + MS_PER_DAY)
    story.approve("ben", later, NOW + MS_PER_DAY)
    story.enact(sooner, later)
    assert story.book.in_force(NOW + 2 * MS_PER_DAY).version == 3
    assert story.roll_back("ana", later) is Reason.NEVER_APPROVED


def test_going_back_cancels_what_was_to_begin_later(story: Story) -> None:
    later = yaml(2)
    story.propose("dan", later)
    story.approve("ana", later, NOW + MS_PER_DAY)
    story.approve("ben", later, NOW + MS_PER_DAY)
    assert story.roll_back("ana", story.first) is None
    assert story.roll_back("cleo", story.first) is None
    assert story.book.in_force(NOW + 2 * MS_PER_DAY).version == 1


def test_signatures_for_going_back_do_not_outlive_the_version_gone_back_from(story: Story) -> None:
    second, third = yaml(2), yaml(3)
    story.enact(second, story.first)
    story.roll_back("ana", story.first)
    story.enact(third, second)
    assert story.roll_back("ben", story.first) is None
    story.now_ms += SETTLE_MS
    assert story.version == 3
