# What is easier said in Python than in C, for codr_zygote_python.c, which has
# this text in it.  It runs in a namespace of its own, before anything of a
# job's; nothing of it may be left for a program to see.  What a clone does for
# its job is C: each object that Python code uses is a page to copy.

import io, os, sys


# In the zygote


def begin():
    """The interpreter as it is when it has just started."""
    global plain, hooks, others
    plain = set(sys.modules)
    hooks = []
    others = []
    os.register_at_fork = register


posix_register = os.register_at_fork


def register(**given):
    """For the time of preloading.  What these two do in a child is for one
    whose parent had threads and used random numbers: clones have neither, but
    their children may.  What others do is done in clones, too."""
    name = sys._getframe(1).f_globals.get('__name__')
    if name in ('random', 'threading') and list(given) == ['after_in_child']:
        hooks.append(given)
    else:
        others.append(given)
        posix_register(**given)


def stream(fd, name, write, unbuffered, terminal):
    """As the interpreter makes its own, and with its encoding."""
    like = getattr(sys, name)
    raw = io.FileIO(fd, 'wb' if write else 'rb', closefd=False)
    raw.name = '<' + name + '>'
    if terminal:
        raw._blksize = 1024
    buf = raw
    if not (unbuffered and write):
        buf = (io.BufferedWriter if write else io.BufferedReader)(
            raw, raw._blksize)
    text = io.TextIOWrapper(buf, like.encoding, like.errors, '\n',
                            not unbuffered and (fd == 2 or terminal),
                            unbuffered)
    text.mode = 'w' if write else 'r'
    return text


def make_streams():
    """For pipes, and for a terminal; buffered, and not.  They ask what their
    descriptors are when they are made, so these are pipes meanwhile: what
    they answer is the same of a terminal, but for the size of a block."""
    pipe = os.pipe()
    kept = [os.dup(fd) for fd in range(3)]
    for fd in range(3):
        os.dup2(pipe[fd > 0], fd)
    made = tuple(tuple(stream(fd, name, fd > 0, unbuffered, terminal)
                       for fd, name in enumerate(('stdin', 'stdout',
                                                  'stderr')))
                 for terminal in (False, True)
                 for unbuffered in (False, True))
    for fd in range(3):
        os.dup2(kept[fd], fd)
        os.close(kept[fd])
    os.close(pipe[0])
    os.close(pipe[1])
    return made


def practise():
    """What programs do is found in the interpreter's caches then, and a clone
    need not write it there."""
    exec(compile(sample, '/box/main.py', 'exec'),
         {'__name__': 'sample', '__builtins__': __builtins__})
    for file in sys.stdout, sys.stderr:
        file.closed
        file.flush()


def warm():
    """All modules are there that will be."""
    global extra, kept, old, streams, reseed, collect, main_thread, data
    global loader, objects, count, stats, debug, gc_hooks, exits, threading
    global children
    import gc
    external = sys.modules['_frozen_importlib_external']
    os.register_at_fork = posix_register
    collect, objects, count = gc.collect, gc.get_objects, gc.get_count
    stats, debug, gc_hooks = gc.get_stats, gc.get_debug, gc.callbacks
    exits = getattr(sys.modules.get('atexit'), '_ncallbacks', None)
    children = ([given['before'] for given in reversed(others)
                 if 'before' in given]
                + [given['after_in_child'] for given in others
                   if 'after_in_child' in given])
    for given in hooks:
        os.register_at_fork(**given)
    data = os.environ._data
    for name in [name for name in data if name.startswith((b'CODR_', b'LD_'))]:
        del data[name]
    extra = sorted({name.partition('.')[0] for name in sys.modules
                    if name not in plain})
    kept = [(name, name != '__main__' and module)
            for name, module in sys.modules.items()]
    loader = external.SourceFileLoader('__main__', '/box/' + sys.argv[0])
    streams = make_streams()
    old = sys.stdin, sys.stdout, sys.stderr
    random = sys.modules.get('random')
    reseed = random and super(random.Random, random._inst).seed
    threading = sys.modules.get('threading')
    main_thread = threading and threading.main_thread()
    practise()
    gc.collect()
    gc.freeze()


# A program that does what many do


sample = '''
import sys
class A:
    def __init__(self, n):
        self.n = n
    def __repr__(self):
        return f'A({self.n})'
def f(n):
    return n if n < 2 else f(n - 1) + f(n - 2)
x = [A(i) for i in range(5)] + [f(5), 1.5, 10 ** 30, 'a' * 30, b'b']
d = {str(i): (i, [i], {i}) for i in range(5)}
try:
    {}['x']
except KeyError as e:
    d[0] = str(e)
'%s %r' % (x, d)
' '.join(sorted(map(str, d)))
with open('/dev/null', 'w') as out:
    print(1, 'a', x[0], file=out)
del out
'''

