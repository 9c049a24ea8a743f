"""What WeCom's group shows of a group of ours: who is in it, its name, and what is said, in order."""

from tests.features.chat_mirror.ward import Ward


async def test_a_group_is_made_with_its_members_name_and_owner(ward: Ward) -> None:
    id = await ward.mirrored("ann", "bob", "cai", title="产科夜班")
    await ward.until_users("ann", "bob", "cai")
    group = await ward.wecom()
    assert (group["name"], group["owner"]) == ("产科夜班", "ann")

    async def is_greeted() -> bool:
        return bool((await ward.wecom())["messages"])

    await ward.until(is_greeted)
    [greeting] = (await ward.wecom())["messages"]
    assert "产科夜班" in greeting["content"]
    assert f"/c/{id}" in greeting["content"]
    assert (await ward.shown(id))["is_made"]


async def test_messages_come_in_order_and_with_names(ward: Ward) -> None:
    id = await ward.mirrored("ann", "bob")
    for number in range(8):
        await ward.say("ann" if number % 2 else "bob", id, f"第{number}句")
    names = ("鲍博", "安宁")
    await ward.until_texts(*(f"{names[number % 2]}：第{number}句" for number in range(8)))


async def test_what_was_said_before_the_switch_is_never_told(ward: Ward) -> None:
    id = await ward.group("ann", "bob")
    await ward.say("ann", id, "以前的话")
    await ward.mirror("ann", id)
    await ward.say("ann", id, "以后的话")
    await ward.until_texts("安宁：以后的话")


async def test_who_comes_and_goes_sees_what_members_see(ward: Ward) -> None:
    id = await ward.mirrored("ann", "bob")
    await ward.say("ann", id, "一")
    await ward.do("ann", "chat.add_members", conversation_id=id, member_ids=["cai", "dan"])
    await ward.say("ann", id, "二")
    await ward.do("ann", "chat.remove_member", conversation_id=id, person_id="bob")
    await ward.do("dan", "chat.leave", conversation_id=id)
    await ward.say("ann", id, "三")
    await ward.until_texts("安宁：一", "安宁：二", "安宁：三")
    seen = [m["shown_to"] for m in (await ward.wecom())["messages"]][1:]
    assert [sorted(people) for people in seen] == [
        ["ann", "bob"],
        ["ann", "bob", "cai", "dan"],
        ["ann", "cai"],
    ]


async def test_name_and_owner_follow(ward: Ward) -> None:
    id = await ward.mirrored("ann", "bob", "cai")
    await ward.until_users("ann", "bob", "cai")
    await ward.do("ann", "chat.rename", conversation_id=id, title="长" * 60)
    await ward.do("ann", "chat.transfer_owner", conversation_id=id, person_id="cai")

    async def follows() -> bool:
        group = await ward.wecom()
        return (group["name"], group["owner"]) == ("长" * 49 + "…", "cai")

    await ward.until(follows)
    await ward.do("cai", "chat.leave", conversation_id=id)
    await ward.until_users("ann", "bob")
    assert (await ward.wecom())["owner"] == "ann"


async def test_changes_between_two_messages_are_one_call(ward: Ward) -> None:
    id = await ward.mirrored("ann", "bob")
    await ward.until_users("ann", "bob")
    await ward.sandbox.fault("down")
    for person in ("cai", "dan"):
        await ward.do("ann", "chat.add_members", conversation_id=id, member_ids=[person])
    await ward.do("ann", "chat.remove_member", conversation_id=id, person_id="bob")
    await ward.do("ann", "chat.rename", conversation_id=id, title="新名")
    await ward.sandbox.fault("off")
    before = (await ward.sandbox.counts())["calls"].get("appchat/update", 0)
    ward.clock.advance(120)

    async def follows() -> bool:
        group = await ward.wecom()
        return (group["name"], sorted(group["userlist"])) == ("新名", ["ann", "cai", "dan"])

    await ward.until(follows)
    after = (await ward.sandbox.counts())["calls"]["appchat/update"]
    assert after - before <= 2  # one, and at most one that was under way


async def test_a_recall_before_the_telling_tells_nothing(ward: Ward) -> None:
    id = await ward.mirrored("ann", "bob")
    await ward.until_users("ann", "bob")
    await ward.sandbox.fault("busy", 3_000)
    await ward.say("bob", id, "先说")
    seq = await ward.say("ann", id, "不该说的")
    await ward.do("ann", "chat.recall", conversation_id=id, seq=seq)
    await ward.say("bob", id, "后说")
    await ward.sandbox.fault("off")
    ward.clock.advance(120)
    await ward.until_texts("鲍博：先说", "鲍博：后说")


async def test_a_recall_after_the_telling_is_a_line(ward: Ward) -> None:
    id = await ward.mirrored("ann", "bob")
    seq = await ward.say("ann", id, "说错了")
    await ward.until_texts("安宁：说错了")
    await ward.do("ann", "chat.recall", conversation_id=id, seq=seq)
    await ward.until_texts("安宁：说错了", "安宁撤回了一条消息。")


async def test_members_without_messages_say_nothing(ward: Ward) -> None:
    id = await ward.group("ann", "bob")
    await ward.mirror("ann", id, messages=False)
    await ward.until_users("ann", "bob")
    await ward.say("ann", id, "不出门的话")
    await ward.do("ann", "chat.add_members", conversation_id=id, member_ids=["cai"])
    await ward.until_users("ann", "bob", "cai")
    assert await ward.texts() == []
    await ward.mirror("ann", id, messages=True)
    await ward.say("ann", id, "从现在起")
    await ward.until_texts("安宁：从现在起")


async def test_switched_off_nothing_leaves_and_on_again_goes_on_from_there(ward: Ward) -> None:
    id = await ward.mirrored("ann", "bob")
    await ward.say("ann", id, "一")
    await ward.until_texts("安宁：一")
    await ward.mirror("ann", id, on=False, messages=False)
    await ward.say("ann", id, "关着")
    await ward.do("ann", "chat.add_members", conversation_id=id, member_ids=["cai"])
    await ward.mirror("ann", id)
    await ward.say("ann", id, "二")
    await ward.until_texts("安宁：一", "安宁：二")
    assert sorted((await ward.wecom())["userlist"]) == ["ann", "bob", "cai"]
    assert (await ward.wecom(1)) == {}


async def test_markup_stays_text_and_a_long_text_says_where_the_rest_is(ward: Ward) -> None:
    id = await ward.mirrored("ann", "bob")
    await ward.say("ann", id, '<a href="http://evil">点我</a>\n第二行')
    await ward.say("ann", id, "长" * 3_000)

    async def both() -> bool:
        return len(await ward.texts()) == 2

    await ward.until(both)
    first, second = await ward.texts()
    assert first == '安宁：＜a href="http://evil"＞点我＜/a＞\n第二行'
    assert len(second.encode()) <= 2_048
    assert second.endswith(f'… <a href="{ward.house.server.settings.url}/c/{id}">查看全文</a>')


async def test_a_conversation_of_two_never_leaves(ward: Ward) -> None:
    opened = await ward.do("ann", "chat.open", person_id="bob")
    id = opened["conversation_id"]
    refused = await ward.ask("ann", "chat.set_mirror", conversation_id=id, is_on=True)
    assert refused.code == "invalid"
    offer = await ward.do("ann", "chat.mirror", conversation_id=id)
    assert (offer["offer"], offer["mirror"]["is_on"]) == ("nothing", False)
