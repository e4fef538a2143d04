# Types for the module beside it, where that is compiled; the law is in brim/ctx.pxd.

cpdef bint may_have_body(scope, method, dict headers) except? -1
