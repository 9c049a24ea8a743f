"""What signed-in people ask of the house: permission to use the phone; administrators, whose an id is."""

from realtime.protocol import Nothing
from server.auth.sessions import Sessions
from server.directory import Directory
from server.errors import Invalid, NotFound, Unavailable
from server.features.host.protocol import (
    BindingShown,
    JsConfig,
    JsPermission,
    JsSignature,
    ShowBinding,
    Unbind,
)
from server.features.host.sign_in import WeComSignIn
from server.integrations.wecom import Host, Level, WeComError
from server.settings import Settings
from server.work import UnitOfWork


async def sign_page(
    command: JsConfig, work: UnitOfWork, host: Host, settings: Settings
) -> JsPermission:
    """Only our own pages are signed for: a signature lets a page use the phone in the app's name."""
    if not host.is_there:
        raise NotFound("there is no WeCom here")
    if command.url != settings.url and not command.url.startswith(
        (f"{settings.url}/", f"{settings.url}?", f"{settings.url}#")
    ):
        raise Invalid("only pages of this server are signed for")
    return JsPermission(
        corp_id=host.corp_id,
        agent_id=host.agent_id,
        config=await _signed(host, "config", command.url),
        agent_config=await _signed(host, "agent", command.url),
    )


async def _signed(host: Host, level: Level, url: str) -> JsSignature:
    try:
        made = await host.sign(level, url)
    except WeComError:
        raise Unavailable("WeCom cannot be asked now; try again", retry_after_ms=10_000) from None
    return JsSignature(timestamp=made.timestamp, nonce=made.nonce, signature=made.signature)


async def show_binding(
    command: ShowBinding, work: UnitOfWork, directory: Directory, service: WeComSignIn
) -> BindingShown:
    person = directory.find(command.person_id)
    binding = await service.bindings.current(work, person)
    work.record("host.show_binding", person.id)
    if binding is None:
        return BindingShown(wecom_user_id=person.wecom_user_id)
    return BindingShown(
        wecom_user_id=person.wecom_user_id, how=binding.how, bound_at=binding.bound_at
    )


async def unbind(
    command: Unbind,
    work: UnitOfWork,
    directory: Directory,
    sessions: Sessions,
    service: WeComSignIn,
) -> Nothing:
    await service.bindings.take_away(work, sessions, directory.find(command.person_id))
    return Nothing()
