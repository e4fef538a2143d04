# Types for the module beside it, where that is compiled; the law is in brim/ctx.pxd.

cpdef plain_path(environ)
cpdef plain_path_of_scope(scope, dict headers)
