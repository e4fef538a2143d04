# Types for the module beside it, where that is compiled; the law is in brim/ctx.pxd.

cpdef _limit(own, setting, otherwise)
cpdef bint _is_untouched(request, tuple ways) except? -1
cpdef _take_body(request, tuple ways)
cpdef bint _is_plain_json(request) except? -1
