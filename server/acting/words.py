"""What people are told of an act that came to nothing, where the OA itself gives no reason."""

from typing import Final

NEVER_ARRIVED: Final = "OA 没有收到，什么都没有提交"
UNFIT: Final = "填写的内容不符合 OA 的要求，什么都没有提交"
