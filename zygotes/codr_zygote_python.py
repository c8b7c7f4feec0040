# What is easier said in Python than in C, for codr_zygote_python.c, which has
# this text in it.  It runs in a namespace of its own, before anything of a
# job's; nothing of it may be left for a program to see.

import io, os, sys


# In the zygote


def begin():
    """The interpreter as it is when it has just started."""
    global plain, given
    plain = set(sys.modules)
    given = dict(os.environ._data)


def warm():
    """All modules are there that will be."""
    global extra, kept, ref, collect
    import gc
    from _weakref import ref
    collect = gc.collect
    extra = {name.partition('.')[0] for name in sys.modules
             if name not in plain}
    kept = [item for item in sys.modules.items()
            if item[0] != '__main__']
    gc.collect()
    gc.freeze()


# In a clone that waits


sample = '''
import sys
class A:
    def __init__(self, n):
        self.n = n
    def __repr__(self):
        return f'A({self.n})'
def f(n):
    return n if n < 2 else f(n - 1) + f(n - 2)
x = [A(i) for i in range(50)] + [f(10), 1.5, 10 ** 30, 'a' * 30, b'b']
d = {str(i): (i, [i], {i}) for i in range(100)}
try:
    {}['x']
except KeyError as e:
    d[0] = str(e)
'%s %r' % (x, d)
' '.join(sorted(map(str, d)))
with open('/dev/null', 'w') as out:
    print(1, 'a', x[0], file=out)
'''


def touch():
    """What any program does: pages it writes to are copied now."""
    space = {'__name__': 'sample', '__builtins__': __builtins__}
    exec(compile(sample, '/box/main.py', 'exec'), space)
    for name, module in kept:
        pass
    os.listdir()


# For a job


def decides(name):
    """Whether a variable means something to an interpreter that starts."""
    return name.startswith((b'PYTHON', b'LC_', b'LANG')) or name == b'TZ'


def prepare(environ, args):
    """False: an interpreter that was started so would be another one."""
    new = dict(item.split(b'=', 1) for item in environ)
    live = {b'PYTHONUNBUFFERED'}
    if given.keys() & live:
        return False
    if {k: v for k, v in new.items() if decides(k) and k not in live} \
            != {k: v for k, v in given.items() if decides(k)}:
        return False
    data = os.environ._data
    data.clear()
    data.update(new)
    args = [os.fsdecode(arg) for arg in args]
    sys.argv += args
    sys.orig_argv += args
    if 'threading' in sys.modules:
        sys.modules['threading'].main_thread()._set_native_id()
    return True


def fits():
    """False: a file of the job's hides a module that is there already."""
    return not any(name.partition('.')[0] in extra for name in os.listdir())


def stream(fd, name, write, unbuffered, like):
    """As the interpreter makes its own, and with its encoding."""
    buf = io.open(fd, 'wb' if write else 'rb',
                  0 if unbuffered and write else -1, closefd=False)
    raw = buf if unbuffered and write else buf.raw
    raw.name = name
    lines = not unbuffered and (fd == 2 or raw.isatty())
    text = io.TextIOWrapper(buf, like.encoding, like.errors, '\n', lines,
                            unbuffered)
    text.mode = 'w' if write else 'r'
    return text


def streams(unbuffered):
    for fd, name in enumerate(('stdin', 'stdout', 'stderr')):
        new = stream(fd, '<' + name + '>', fd > 0, unbuffered,
                     getattr(sys, name))
        setattr(sys, name, new)
        setattr(sys, '__' + name + '__', new)


# At its end


def leave():
    """The program's own modules, as weak references.  What the zygote had
    imported needs no tearing down: it was never this process's alone, and each
    page of it would be copied for that."""
    modules = sys.modules
    ours = {name for name, module in kept if modules.get(name) is module}
    left = [ref(module) for name, module in modules.items()
            if name not in ours and isinstance(module, type(sys))]
    modules.clear()
    collect()
    return left
