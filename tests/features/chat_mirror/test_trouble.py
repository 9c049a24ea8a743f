"""What goes wrong is shown on the group in a word WeCom's answer stands for, and heals."""

import pytest

from tests.features.chat_mirror.ward import Ward


@pytest.mark.parametrize(
    ("mode", "trouble", "code"),
    [
        ("down", "unreachable", 0),
        ("reset", "unreachable", 0),
        ("html", "unreachable", 0),
        ("busy", "unreachable", -1),
        ("concurrency", "unreachable", 45033),
        ("rate_limited", "paused", 45009),
        ("untrusted_ip", "settings", 60020),
    ],
)
async def test_a_failure_is_shown_and_heals_with_nothing_lost(
    ward: Ward, mode: str, trouble: str, code: int
) -> None:
    id = await ward.mirrored("ann", "bob")
    await ward.say("ann", id, "一")
    await ward.until_texts("安宁：一")
    await ward.sandbox.fault(mode, 3_000)
    await ward.say("bob", id, "二")
    await ward.say("ann", id, "三")
    shown = await ward.until_trouble(id, trouble)
    assert shown["code"] == code
    assert shown["since"] > 0
    await ward.sandbox.fault("off")
    ward.clock.advance(120)
    await ward.until_texts("安宁：一", "鲍博：二", "安宁：三")
    await ward.until_trouble(id, "")


async def test_trying_again_does_not_wait(ward: Ward) -> None:
    id = await ward.mirrored("ann", "bob", "cai")
    await ward.until_users("ann", "bob", "Cai".lower())
    ward.sandbox.wecom.groups.most_members = 3
    await ward.do("ann", "chat.add_members", conversation_id=id, member_ids=["dan"])
    shown = await ward.until_trouble(id, "too_many")
    assert shown["code"] == 86006
    await ward.say("ann", id, "等着")
    ward.sandbox.wecom.groups.most_members = 4
    await ward.do("ann", "chat.retry_mirror", conversation_id=id)
    await ward.until_users("ann", "bob", "cai", "dan")
    await ward.until_texts("安宁：等着")
    figures = (await ward.house.get("/metrics")).text
    assert 'groups_wecom_calls_total{kind="create",outcome="taken"} 1.0' in figures
    assert 'groups_wecom_calls_total{kind="update",outcome="too_many"}' in figures
    assert "groups_wecom_held 0.0" in figures
    assert 'notices_presses_total{outcome="said"} 0.0' in figures


async def test_an_answer_that_was_lost_repeats_at_most_the_call_under_way(ward: Ward) -> None:
    id = await ward.mirrored("ann", "bob")
    await ward.say("ann", id, "一")
    await ward.until_texts("安宁：一")
    await ward.sandbox.fault("lost_answer", 3_000)
    await ward.say("bob", id, "二")
    await ward.until_trouble(id, "unreachable")
    await ward.sandbox.fault("off")
    await ward.say("ann", id, "三")

    async def all_said() -> bool:
        return "安宁：三" in await ward.texts()

    await ward.until(all_said)
    texts = await ward.texts()
    assert list(dict.fromkeys(texts)) == ["安宁：一", "鲍博：二", "安宁：三"]
    assert texts.count("安宁：三") == 1


async def test_a_group_whose_making_was_not_answered_is_made_once(ward: Ward) -> None:
    await ward.sandbox.fault("lost_answer", 3_000)
    id = await ward.mirrored("ann", "bob")
    await ward.until_trouble(id, "unreachable")
    await ward.sandbox.fault("off")
    await ward.say("ann", id, "一")
    await ward.until_texts("安宁：一")
    assert await ward.wecom(1) == {}


async def test_a_text_recalled_while_its_call_is_in_doubt_is_not_sent_again(ward: Ward) -> None:
    id = await ward.mirrored("ann", "bob")
    await ward.say("ann", id, "一")
    await ward.until_texts("安宁：一")
    await ward.sandbox.fault("reset", 3_000)
    seq = await ward.say("ann", id, "不该说的")
    await ward.until_trouble(id, "unreachable")
    await ward.do("ann", "chat.recall", conversation_id=id, seq=seq)
    await ward.sandbox.fault("off")
    await ward.say("bob", id, "二")
    await ward.until_texts("安宁：一", "安宁撤回了一条消息。", "鲍博：二")


async def test_whoever_wecom_will_not_have_is_left_out_and_counted(ward: Ward) -> None:
    id = await ward.mirrored("ann", "bob", "eve")
    await ward.say("ann", id, "一")
    await ward.until_texts("安宁：一")
    await ward.until_users("ann", "bob")
    assert (await ward.shown(id))["left_out"] == 1
    assert (await ward.shown(id))["trouble"] == ""


async def test_an_app_that_does_not_see_the_whole_company_is_told_so(ward: Ward) -> None:
    ward.sandbox.wecom.groups.is_rooted = False
    id = await ward.mirrored("ann", "bob")
    shown = await ward.until_trouble(id, "scope")
    assert shown["code"] == 60011
    ward.sandbox.wecom.groups.is_rooted = True
    await ward.do("ann", "chat.retry_mirror", conversation_id=id)
    await ward.until_users("ann", "bob")
    await ward.until_trouble(id, "")


async def test_two_of_a_group_have_to_have_an_account(ward: Ward) -> None:
    id = await ward.mirrored("ann", "eve")
    await ward.say("ann", id, "没人听")
    shown = await ward.until_trouble(id, "too_few")
    assert shown["left_out"] == 1
    await ward.do("ann", "chat.add_members", conversation_id=id, member_ids=["bob"])
    await ward.say("ann", id, "有人听")
    await ward.until_texts("安宁：有人听")
    await ward.until_trouble(id, "")


async def test_a_group_that_was_dissolved_is_made_anew(ward: Ward) -> None:
    id = await ward.mirrored("ann", "bob")
    await ward.say("ann", id, "一")
    await ward.until_texts("安宁：一")
    ward.sandbox.wecom.groups.log.forget((await ward.wecom())["chatid"])
    await ward.say("ann", id, "二")
    await ward.until_texts("安宁：二")
    assert await ward.wecom(1) == {}


async def test_messages_that_waited_for_a_day_are_counted_not_told(ward: Ward) -> None:
    id = await ward.mirrored("ann", "bob")
    await ward.say("ann", id, "一")
    await ward.until_texts("安宁：一")
    await ward.sandbox.fault("untrusted_ip", 3_000)
    await ward.say("ann", id, "旧一")
    await ward.say("ann", id, "旧二")
    await ward.until_trouble(id, "settings")
    ward.clock.advance(25 * 3_600)
    await ward.say("bob", id, "新")
    await ward.sandbox.fault("off")
    url = f"{ward.house.server.settings.url}/c/{id}"
    await ward.until_texts(
        "安宁：一",
        f'有 2 条消息没有同步到这里，<a href="{url}">请在院信中查看</a>',
        "鲍博：新",
    )


async def test_somebody_whose_account_is_gone_holds_nobody_up(ward: Ward) -> None:
    id = await ward.mirrored("ann", "bob", "cai")
    await ward.say("ann", id, "一")
    await ward.until_texts("安宁：一")
    ward.sandbox.wecom.groups.delete_account("bob")
    await ward.do("ann", "chat.remove_member", conversation_id=id, person_id="bob")
    await ward.say("ann", id, "二")
    await ward.until_texts("安宁：一", "安宁：二")
    await ward.until_users("ann", "cai")


async def test_a_configuration_that_was_mended_is_tried_when_the_owner_asks(ward: Ward) -> None:
    id = await ward.mirrored("ann", "bob")
    await ward.say("ann", id, "一")
    await ward.until_texts("安宁：一")
    await ward.sandbox.fault("untrusted_ip", 3_000)
    await ward.say("ann", id, "二")
    await ward.until_trouble(id, "settings")
    await ward.sandbox.fault("off")
    await ward.do("ann", "chat.retry_mirror", conversation_id=id)

    async def is_told() -> bool:
        return await ward.texts() == ["安宁：一", "安宁：二"]

    await ward.until(is_told, clock_s=0.0)


@pytest.mark.parametrize(("mode", "trouble"), [("rate_limited", "paused"), ("down", "unreachable")])
async def test_groups_that_wait_for_others_say_so_too(ward: Ward, mode: str, trouble: str) -> None:
    groups = []
    for place in range(4):
        groups.append(await ward.mirrored("ann", "bob"))
        await ward.until_users("ann", "bob", place=place)
    for place, id in enumerate(groups):
        await ward.say("ann", id, "一")
        await ward.until_texts("安宁：一", place=place)
    await ward.sandbox.fault(mode, 3_000)
    for id in groups:
        await ward.say("ann", id, "二")
    for id in groups:
        await ward.until_trouble(id, trouble)
    await ward.sandbox.fault("off")
    for place, id in enumerate(groups):
        await ward.until_texts("安宁：一", "安宁：二", place=place)
        await ward.until_trouble(id, "")


async def test_what_needs_no_telling_any_more_stands_in_no_way(ward: Ward) -> None:
    id = await ward.mirrored("ann", "bob", "cai")
    await ward.until_users("ann", "bob", "cai")
    ward.sandbox.wecom.groups.most_members = 3
    await ward.do("ann", "chat.add_members", conversation_id=id, member_ids=["dan"])
    await ward.until_trouble(id, "too_many")
    await ward.do("ann", "chat.remove_member", conversation_id=id, person_id="dan")
    await ward.until_trouble(id, "")
