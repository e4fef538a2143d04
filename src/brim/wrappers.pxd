# Types for the module beside it, where that is compiled; the law is in brim/ctx.pxd.

cpdef _limit(own, setting, otherwise)
