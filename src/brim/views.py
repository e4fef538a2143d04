"""Views written as classes.

A class becomes a view function by ``as_view``; nothing else in Brim knows of classes.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any, ClassVar

from .bridge import Synced, is_async
from .globals import current_app, request

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from .typing import ResponseReturnValue, RouteCallable

http_method_funcs = frozenset({"get", "post", "head", "options", "delete", "put", "trace", "patch"})


class View:
    """A view as a class: override :meth:`dispatch_request`.

    class Hello(View):
        init_every_request = False

        def dispatch_request(self, name):
            return f"Hello, {name}!"

    app.add_url_rule("/hello/<name>", view_func=Hello.as_view("hello"))
    """

    #: The methods the view answers, by default those of the route (GET).
    methods: ClassVar[Collection[str] | None] = None
    #: Whether OPTIONS is answered by Brim; None for the application's default.
    provide_automatic_options: ClassVar[bool | None] = None
    #: Decorators for the view function, the first is applied first.
    decorators: ClassVar[list[Callable[..., Any]]] = []
    #: Whether each request gets an instance of its own. Where instances keep no state
    #: of a request, turn it off and save the time.
    init_every_request: ClassVar[bool] = True

    def dispatch_request(self, *args: Any, **kwargs: Any) -> Any:
        """Answer the request; the URL's variables come as keyword arguments."""
        raise NotImplementedError

    @classmethod
    def as_view(cls, name: str, *class_args: Any, **class_kwargs: Any) -> RouteCallable:
        """Return a view function; ``name`` is its name, and so the default endpoint.

        The other arguments are given to the class whenever it is instantiated.
        """
        shared = None if cls.init_every_request else cls(*class_args, **class_kwargs)

        view: Any

        def instance() -> View:
            return shared or view.view_class(*class_args, **class_kwargs)

        if cls._is_async():

            async def awaited(**kwargs: Any) -> Any:
                return await instance()._dispatch_async(**kwargs)

            # Sync for decorators, which may not know of coroutines; else it is awaited.
            view = Synced(awaited)
        else:

            def called(**kwargs: Any) -> Any:
                return current_app.ensure_sync(instance().dispatch_request)(**kwargs)

            view = called

        view.__name__ = name
        view.__module__ = cls.__module__
        view.__doc__ = cls.__doc__
        decorated: Any = view
        for decorator in cls.decorators:
            decorated = decorator(decorated)
        # Kept on both: decorators that don't carry attributes over lose the inner ones.
        for function in (view, decorated):
            function.view_class = cls
        decorated.__name__ = name
        decorated.__doc__ = cls.__doc__
        decorated.__module__ = cls.__module__
        decorated.methods = cls.methods
        decorated.provide_automatic_options = cls.provide_automatic_options
        return decorated  # type: ignore[no-any-return]

    @classmethod
    def _is_async(cls) -> bool:
        """Whether each request is answered by a coroutine."""
        return is_async(cls.dispatch_request)

    async def _dispatch_async(self, **kwargs: Any) -> Any:
        # An instance may have another than its class.
        return await _awaited(self.dispatch_request(**kwargs))


async def _awaited(result: Any) -> Any:
    return await result if isinstance(result, Awaitable) else result  # pyright: ignore[reportUnknownVariableType]


class MethodView(View):
    """A view with one method for each of HTTP's: ``get``, ``post`` and so on.

    :attr:`methods` is worked out from them. ``get`` answers HEAD too unless there is a
    ``head``.

        class Counter(MethodView):
            def get(self): ...
            def post(self): ...
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "methods" in cls.__dict__:
            return
        methods: set[str] = set()
        for base in cls.__bases__:
            methods.update(getattr(base, "methods", None) or ())
        methods.update(name.upper() for name in http_method_funcs if hasattr(cls, name))
        if methods:
            cls.methods = methods

    def dispatch_request(self, *args: Any, **kwargs: Any) -> ResponseReturnValue:
        """Call the method that is named like the request's."""
        return current_app.ensure_sync(self._handler())(*args, **kwargs)  # type: ignore[no-any-return]

    @classmethod
    def _is_async(cls) -> bool:
        if cls.dispatch_request is not MethodView.dispatch_request:
            return super()._is_async()
        handlers = [getattr(cls, name) for name in http_method_funcs if hasattr(cls, name)]
        return bool(handlers) and all(map(is_async, handlers))

    async def _dispatch_async(self, **kwargs: Any) -> Any:
        if type(self).dispatch_request is not MethodView.dispatch_request:
            return await super()._dispatch_async(**kwargs)
        return await _awaited(self._handler()(**kwargs))

    def _handler(self) -> Callable[..., Any]:
        method = request.method.lower()
        handler = getattr(self, method, None)
        if handler is None and method == "head":
            handler = getattr(self, "get", None)
        if handler is None:
            raise AssertionError(
                f"{type(self).__name__} has no method {method!r}, though its 'methods' say"
                f" that it answers {request.method}."
            )
        return handler  # type: ignore[no-any-return]
