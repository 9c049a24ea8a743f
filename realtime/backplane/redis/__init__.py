"""The line between nodes over Redis' publish and subscribe; Redis keeps nothing of it.

All nodes share one Redis channel. A node says what it needs (`needs`), so that nothing is sent which nobody
elsewhere hears; what is sent travels once, in an envelope with everything else of its moment (`words`,
`envelope`), whoever needs it. `wire` keeps the two connections, `plug` decides. Why it is so: decision 0026.
"""

from realtime.backplane.redis.metrics import LineMetrics
from realtime.backplane.redis.plug import RedisBackplane
from realtime.backplane.redis.wire import Pace

__all__ = ["LineMetrics", "Pace", "RedisBackplane"]
