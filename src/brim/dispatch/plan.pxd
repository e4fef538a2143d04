# Types for the module beside it, where that is compiled; the law is in brim/ctx.pxd.

cdef class Compiled:
    cdef public object plans, matcher, websocket_matcher, urls, contexts, reads_streams
    cdef public bint outdated

cdef class Plan:
    cdef readonly Compiled compiled
    cdef readonly object endpoint, blueprints, overrides, view, preprocessors, before, after
    cdef readonly object teardown, teardown_app
    cdef readonly bint for_websockets, handles_errors, begins_quietly, is_straight
    cdef readonly frozenset lone_methods, bare_methods
    cdef readonly bint ends_quietly, needs_body, hides_coroutine, reads_stream
    cdef readonly dict _kept_handlers
    cdef readonly object _handlers
