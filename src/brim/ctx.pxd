# The contexts as C structs, where ctx.py is compiled (scripts/compile.py).
#
# Law of every .pxd here: it adds types to the names of the module beside it and no behaviour. The
# module runs the same without it. An attribute is in `__slots__` there and `public` here. A function
# is `cpdef` here if compiled code calls it with a class of this kind, whose attributes it then reads
# without a lookup, or if it is called in its own module alone, which then calls it directly. Other
# modules find it by its name in the module all the same, so it can be patched for them. What is no
# class of ours stays an object: servers and users may pass what they like.
#
# A class with both `__dict__` and `__weakref__` of its own can't be made on Python 3.11 with the
# macro that scripts/compile.py sets; hence the base class.

cdef class _Referable:
    cdef object __weakref__

cdef class AppContext(_Referable):
    cdef dict __dict__
    cdef public object app, _pushed, _outer_request_ctx
    cdef public Py_ssize_t _left_early

cdef class RequestContext(AppContext):
    cdef public object _after, _cookies, _environ, _exchange, _made, _method, _opened, _plan
    cdef public object _shared, _waiting, error, routing_exception, url_rule, view_args
    cdef public bint _request_ended
    cdef public Py_ssize_t _streams
    cpdef push(self)

cpdef AppContext current_ctx()
cpdef current_request_ctx(purpose=*)
