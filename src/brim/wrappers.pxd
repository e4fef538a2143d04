# Types for the module beside it, where that is compiled; the law is in brim/ctx.pxd.

cpdef _limit(own, setting, otherwise)
cpdef _take_body(request, tuple ways)
cpdef bint _is_plain_json(request) except? -1
