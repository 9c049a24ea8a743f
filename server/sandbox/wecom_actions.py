"""What can be done about a message that was sent, and what a person does at the phone.

Interface: changing a card, taking a message back, the app's menu. Doors for judges and for the page: typing,
pressing, touching the menu, coming and going. Each of these ends in a call back to the product.
"""

import json
import secrets
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from aiohttp import web

from server.sandbox.config import SandboxConfig, SandboxPerson
from server.sandbox.wecom_body import Bad, read_object
from server.sandbox.wecom_callback import Caller, Seal
from server.sandbox.wecom_cards import CardState, CodeFault
from server.sandbox.wecom_message import read_update
from server.sandbox.wecom_state import WeComState

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

LONGEST_TEXT: Final = 2_048
MENU_TYPES: Final = {
    "click": "key",
    "view": "url",
    "scancode_push": "key",
    "scancode_waitmsg": "key",
    "pic_sysphoto": "key",
    "pic_photo_or_album": "key",
    "pic_weixin": "key",
    "location_select": "key",
    "view_miniprogram": "pagepath",
}
_LONGEST: Final = {"key": 128, "url": 1_024, "pagepath": 1_024}
PERSON_EVENTS: Final = ("subscribe", "unsubscribe", "enter_agent", "click")
CONTACT_CHANGES: Final = (
    "create_user",
    "update_user",
    "delete_user",
    "create_party",
    "update_party",
    "delete_party",
)
HOW: Final = ("times", "wrong")


def caller_of(config: SandboxConfig, cards: CardState) -> Caller:
    """Calls the product back, if anybody has said where."""
    has_keys = config.callback_token and config.callback_aes_key
    seal = (
        Seal(config.callback_token, config.callback_aes_key, config.corp_id) if has_keys else None
    )
    return Caller(
        cards,
        config.clock,
        config.callback_url,
        seal,
        config.corp_id,
        config.agent_id,
        try_s=config.callback_try_s,
        between_s=config.callback_between_s,
    )


class Actions:
    """Handlers over the stand-in's state; people by their id in lower case."""

    def __init__(
        self,
        config: SandboxConfig,
        people: Mapping[str, SandboxPerson],
        state: WeComState,
        caller: Caller,
    ) -> None:
        self._config, self._people = config, people
        self._state, self._cards, self._caller = state, state.cards, caller
        self._clock = config.clock

    def interface(self) -> list[tuple[str, str, Handler]]:
        """Method, path and handler of each call that needs a token."""
        return [
            ("POST", "message/update_template_card", self._update),
            ("POST", "message/recall", self._recall),
            ("POST", "menu/create", self._create_menu),
            ("GET", "menu/get", self._get_menu),
            ("GET", "menu/delete", self._delete_menu),
        ]

    def doors(self) -> list[web.RouteDef]:
        """For judges and for the page."""
        return [
            web.get("/wecom/phone/{userid}", self._phone),
            web.post("/wecom/say", _door(self._say)),
            web.post("/wecom/press", _door(self._press)),
            web.post("/wecom/events", _door(self._event)),
            web.get("/wecom/callbacks", self._callbacks),
            web.post("/wecom/callbacks/check", self._check),
        ]

    # --- the interface

    async def _update(self, request: web.Request) -> web.Response:
        users, code, says = read_update(await request.read(), self._config.agent_id)
        try:
            unknown = self._cards.change(code, users, says, self._clock.now())
        except CodeFault:
            raise Bad(42014, "invalid response_code, it was used or is too old") from None
        return answer(request, 0, "ok", invaliduser=unknown)

    async def _recall(self, request: web.Request) -> web.Response:
        body = read_object(await request.read())
        msgid = body.get("msgid")
        if not isinstance(msgid, str) or not self._cards.recall(msgid, self._clock.now()):
            raise Bad(40058, "msgid is unknown or too old. invalid Request Parameter")
        return answer(request, 0, "ok")

    async def _create_menu(self, request: web.Request) -> web.Response:
        self._check_agent(request)
        body = read_object(await request.read())
        _check_menu(body)
        self._cards.set_menu(body)
        return answer(request, 0, "ok")

    async def _get_menu(self, request: web.Request) -> web.Response:
        self._check_agent(request)
        menu = self._cards.menu()
        if menu is None:
            raise Bad(46003, "menu no exist")
        return answer(request, 0, "ok", **menu)

    async def _delete_menu(self, request: web.Request) -> web.Response:
        self._check_agent(request)
        self._cards.set_menu(None)
        return answer(request, 0, "ok")

    def _check_agent(self, request: web.Request) -> None:
        if request.query.get("agentid") != str(self._config.agent_id):
            raise Bad(40056, "invalid agentid")

    # --- the person at the phone

    async def _phone(self, request: web.Request) -> web.Response:
        """Everything on a phone in the order of time: messages, what was typed, and the menu."""
        user = request.match_info["userid"]
        shown = [*self._state.inbox(user), *self._cards.typed(user)]
        shown.sort(key=lambda one: one["received_at"])
        return web.json_response(
            {
                "messages": shown,
                "menu": (self._cards.menu() or {"button": []})["button"],
                "answers": self._caller.is_set_up,
                "gone": self._cards.has_gone(user),
            }
        )

    def _say(self, fields: dict[str, Any]) -> int:
        user, text = self._user(fields), fields.get("text")
        if not isinstance(text, str) or not 0 < len(text.encode()) <= LONGEST_TEXT:
            raise ValueError(f"text must have 1 to {LONGEST_TEXT} bytes")
        self._cards.said(user, text, self._clock.now())
        message = fields.get("msgid") or str(secrets.randbelow(10**18))
        told = {"MsgType": "text", "Content": text, "MsgId": str(message)}
        return self._caller.call(user, told, **_how(fields))

    def _press(self, fields: dict[str, Any]) -> int:
        user, msgid, key = self._user(fields), str(fields.get("msgid")), fields.get("key")
        mine = any(one["msgid"] == msgid for one in self._state.inbox(user))
        card = self._cards.card(msgid) if mine else None
        if card is None:
            raise ValueError("there is no such card on this phone")
        task_id, buttons = card
        if not any(button["key"] == key and key for button in buttons):
            raise ValueError("the card has no such button")
        if self._cards.says(msgid, user):
            raise ValueError("the card has no buttons any more")
        code = self._cards.new_code(msgid, self._clock.now())
        told = {
            "MsgType": "event",
            "Event": "template_card_event",
            "EventKey": str(key),
            "TaskId": task_id,
            "CardType": "button_interaction",
            "ResponseCode": code,
        }
        return self._caller.call(user, told, **_how(fields))

    def _event(self, fields: dict[str, Any]) -> int:
        name = fields.get("event")
        if name == "change_contact":
            return self._contact(fields)
        if name not in PERSON_EVENTS:
            raise ValueError(f"event must be change_contact or one of {', '.join(PERSON_EVENTS)}")
        user = self._user(fields)
        if name in ("subscribe", "unsubscribe"):
            self._cards.goes(user, gone=name == "unsubscribe")
        told = {"MsgType": "event", "Event": name, "EventKey": str(fields.get("key", ""))}
        return self._caller.call(user, told, **_how(fields))

    def _contact(self, fields: dict[str, Any]) -> int:
        change = fields.get("change")
        if change not in CONTACT_CHANGES:
            raise ValueError(f"change must be one of {', '.join(CONTACT_CHANGES)}")
        id = str(fields.get("userid") or fields.get("party") or "")
        return self.contact_changed(change, id, **_how(fields))

    def contact_changed(self, change: str, id: str, **how: Any) -> int:
        """Tell the app of somebody, or a department, that is not what it was."""
        told = {
            "MsgType": "event",
            "Event": "change_contact",
            "ChangeType": change,
            "UserID" if change.endswith("_user") else "Id": id,
        }
        return self._caller.call("sys", told, **how)

    def _user(self, fields: dict[str, Any]) -> str:
        person = self._people.get(str(fields.get("userid", "")).lower())
        if person is None:
            raise ValueError("userid: nobody has this phone")
        return person.person_id

    async def _callbacks(self, request: web.Request) -> web.Response:
        return web.json_response(self._cards.callbacks())

    async def _check(self, request: web.Request) -> web.Response:
        status, is_right = await self._caller.check()
        return web.json_response({"status": status, "ok": is_right})


def _door(act: Callable[[dict[str, Any]], int]) -> Handler:
    async def serve(request: web.Request) -> web.Response:
        try:
            fields = json.loads(await request.read())
            if not isinstance(fields, dict):
                raise ValueError("the body must be a JSON object")
            number = act(fields)
        except ValueError as bad:
            return web.json_response({"error": f"{bad}."}, status=400)
        return web.json_response({"callback": number}, status=202)

    return serve


def _how(fields: dict[str, Any]) -> dict[str, Any]:
    """How the call back is to go wrong: delivered several times, sealed wrongly."""
    return {name: fields[name] for name in HOW if name in fields}


def _check_menu(body: dict[str, Any]) -> None:
    tops = body.get("button")
    if not isinstance(tops, list) or not 1 <= len(tops) <= 3:
        raise Bad(40016, "invalid button size: 1 to 3")
    for top in tops:
        below = top.get("sub_button") if isinstance(top, dict) else None
        if below:
            if not isinstance(below, list) or len(below) > 5:
                raise Bad(40023, "invalid sub button size: 1 to 5")
            _check_name(top)
        for button in below or [top]:
            _check_button(button)


def _check_button(button: Any) -> None:
    if not isinstance(button, dict) or button.get("type") not in MENU_TYPES:
        raise Bad(40017, "invalid button type")
    _check_name(button)
    needs = MENU_TYPES[button["type"]]
    value = button.get(needs)
    if not isinstance(value, str) or not 0 < len(value.encode()) <= _LONGEST[needs]:
        raise Bad(40019 if needs == "key" else 40020, f"invalid button {needs} size")


def _check_name(button: dict[str, Any]) -> None:
    name = button.get("name")
    if not isinstance(name, str) or not 0 < len(name.encode()) <= 16:
        raise Bad(40018, "invalid button name size")


def answer(request: web.Request, code: int, message: str, /, **fields: object) -> web.Response:
    """JSON and headers as WeCom sends them."""
    if code:
        message = (
            f"{message}, hint: [{1_700_000_000_000 + abs(code)}], from ip: {request.remote},"
            f" more info at https://open.work.weixin.qq.com/devtool/query?e={code}"
        )
    return web.json_response(
        {"errcode": code, "errmsg": message, **fields},
        headers={"Error-Code": str(code), "Error-Msg": message},
    )
