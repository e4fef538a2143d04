# Types for the module beside it, where that is compiled; the law is in brim/ctx.pxd.

cpdef make_ready(app, rv)
cpdef bint is_response(rv) except? -1
