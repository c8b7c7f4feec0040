;; Python, level standard: starting processes, evaluating text, loading modules
;; by name, walking the interpreter's own objects.
;;
; inherits: light
;;
;; Functions and classes.
; list process: os.system os.popen* os.startfile os.fork* os.posix_spawn*
; list process: os.exec* os.spawn* os._exec* os._spawn*
; list process: *.os.system *.os.popen *.os.fork* *.os.exec* *.os.spawn*
; list process: *.*.os.system *.*.os.popen *.*.os.fork* *.*.os.exec*
; list process: *._os.system *._os.popen *._os.fork* *._os.exec*
; list process: *.posix.system *.posix.fork* *.posix.exec*
; list process: *.subprocess *.*.subprocess *._subprocess
; list process: asyncio.create_subprocess_* asyncio.subprocess.*
; list process: multiprocessing.Process multiprocessing.Pool
; list process: multiprocessing.Manager multiprocessing.get_context
; list process: multiprocessing.process.* multiprocessing.context.*
; list process: multiprocessing.pool.Pool multiprocessing.util.*
; list process: concurrent.futures.ProcessPoolExecutor
; list process: pydoc.pipepager pydoc.tempfilepager pydoc.pager
; list process: platform.popen webbrowser.open webbrowser.get
;; Modules that do nothing else.
; list processes: subprocess pty _posixsubprocess commands popen2 pexpect
; list processes: ptyprocess sh plumbum distutils.spawn webbrowser ensurepip
; list processes: pip venv multiprocessing.popen_fork multiprocessing.managers
; list processes: multiprocessing.forkserver concurrent.futures.process
;;
; list eval: eval exec compile builtins.eval builtins.exec builtins.compile
; list eval: *.builtins.eval *.builtins.exec *.builtins.compile
; list eval: *.__builtins__.eval *.__builtins__.exec
; list eval: code.Interactive* code.interact pdb.run* bdb.Bdb tkinter.Tcl
; list eval: _tkinter.create sys.breakpointhook typing._eval_type
; list evals: codeop runpy _xxsubinterpreters _interpreters _testcapi
; list evals: _testinternalcapi
;;
; list import: __import__ builtins.__import__ *.builtins.__import__
; list import: *.__builtins__.__import__ __loader__ builtins.__loader__
; list import: pkgutil.resolve_name pkgutil.get_loader pkgutil.find_loader
; list import: sys.meta_path sys.path_hooks sys.path_importer_cache
; list imports: importlib importlib.util importlib.machinery importlib.abc
; list imports: importlib._bootstrap importlib._bootstrap_external
; list imports: importlib.import_module importlib.reload imp _imp zipimport
; list imports: _frozen_importlib _frozen_importlib_external
;;
; list walk: sys._getframe sys._current_frames sys._getframemodulename
; list walk: sys.settrace sys.setprofile threading.settrace
; list walk: threading.setprofile gc.get_objects gc.get_referrers
; list walk: gc.get_referents ctypes.py_object
; list walk: __builtins__ builtins.__dict__
;; Names of attributes that lead out of the program.
; list inner: __globals__ __builtins__ func_globals f_globals f_builtins
; list inner: f_back _getframe
; list texts: __subclasses__ __globals__ __builtins__ __import__ __loader__
; list texts: f_globals f_builtins f_back func_globals PYTHONBREAKPOINT
; list texts: load_module
;;
; message process: `%s` starts another process, and a program runs alone here.
; message process: Do the work in Python itself (`os`, `shutil` and `pathlib`
; message process: do what most commands do); for things at the same time use
; message process: `threading` or `concurrent.futures.ThreadPoolExecutor`.
; message eval: `%s` runs text as a program, which hides what the program
; message eval: does. For numbers use `int()` or `float()`, for lists and the
; message eval: like `ast.literal_eval()`, for a choice of functions a
; message eval: dictionary.
; message import: `%s` loads modules by a text, which hides what the program
; message import: uses. Write `import name` at the top.
; message walk: `%s` reaches into Python's own objects, behind the program that
; message walk: can be checked. There is a plain way to nearly everything: ask
; message walk: for what you need by its name.
; message passed: The module `%s` itself is passed on here, so nobody can see
; message passed: what is done with it. Pass the function that is needed.


;; Processes.

([(identifier) (attribute) (subscript) (call)] @refuse
 (#path? @refuse "$process") (#not-inside? @refuse "import_from_statement")
 (#set! rule "python.process") (#set! message "$process"))
([(import_statement name: (dotted_name) @refuse)
  (import_statement name: (aliased_import name: (dotted_name) @refuse))
  (import_from_statement module_name: (dotted_name) @refuse)
  (import_from_statement name: (dotted_name) @refuse)
  (import_from_statement
    name: (aliased_import name: (dotted_name) @refuse))
  (call) @refuse (subscript) @refuse]
 (#path? @refuse "$processes" "$process")
 (#set! rule "python.process") (#set! message "$process"))
;; Names nothing else has, on whatever object they are.
((attribute attribute: (identifier) @refuse)
 (#any-of? @refuse "posix_spawn" "posix_spawnp" "forkpty" "execvpe" "execlpe"
   "spawnlp" "spawnvp" "spawnvpe" "subprocess_exec" "subprocess_shell"
   "create_subprocess_exec" "create_subprocess_shell" "fork_exec")
 (#set! rule "python.process") (#set! message "$process"))
;; A part of os by a name that nobody can read here.
([(call) (subscript)] @refuse
 (#path? @refuse "os.?" "os.__dict__.?" "*.os.?")
 (#set! rule "python.process")
 (#set! message "`%s` picks a part of `os` by a name that is only known at run time, and it could start a process. Write the name out."))
;; os itself, handed to where it cannot be followed.
((call function: (_) @_f
   arguments: (argument_list [(identifier) (attribute) (subscript)] @refuse))
 (#path? @refuse "os" "builtins")
 (#not-path? @_f "print" "dir" "help" "type" "repr" "str" "id" "hasattr"
   "getattr" "vars" "isinstance" "len" "callable" "inspect.*"
   "builtins.getattr" "operator.attrgetter()")
 (#set! rule "python.module.passed") (#set! message "$passed"))
([(return_statement (identifier) @refuse)
  (yield (identifier) @refuse)
  (lambda body: (identifier) @refuse)
  (list (identifier) @refuse)
  (tuple (identifier) @refuse)
  (set (identifier) @refuse)
  (pair value: (identifier) @refuse)
  (assignment left: [(attribute) (subscript)] right: (identifier) @refuse)
  (class_definition body: (block (expression_statement
    (assignment right: (identifier) @refuse))))]
 (#path? @refuse "os" "builtins")
 (#set! rule "python.module.passed") (#set! message "$passed"))


;; Text as program.

([(identifier) (attribute) (subscript) (call)] @refuse
 (#path? @refuse "$eval") (#not-inside? @refuse "import_from_statement")
 (#set! rule "python.eval") (#set! message "$eval"))
([(import_statement name: (dotted_name) @refuse)
  (import_statement name: (aliased_import name: (dotted_name) @refuse))
  (import_from_statement module_name: (dotted_name) @refuse)
  (import_from_statement name: (dotted_name) @refuse)
  (import_from_statement
    name: (aliased_import name: (dotted_name) @refuse))
  (call) @refuse (subscript) @refuse]
 (#path? @refuse "$evals" "$eval")
 (#set! rule "python.eval") (#set! message "$eval"))
([(call) (subscript)] @refuse
 (#path? @refuse "builtins.?" "__builtins__.?")
 (#set! rule "python.eval")
 (#set! message "`%s` can run text as a program. Write the name of what is needed."))
;; A function out of code.
((call function: (_) @refuse)
 (#path? @refuse "types.FunctionType" "types.CodeType")
 (#set! rule "python.eval")
 (#set! message "`%s` makes a function out of text that was compiled, which hides what it does. Write the function itself."))
((call function: (call function: (identifier) @_type
   arguments: (argument_list [(lambda) (attribute attribute: (identifier)
     @_code)])) @refuse)
 (#eq? @_type "type") (#eq? @_code "__code__")
 (#set! rule "python.eval")
 (#set! message "`%s` makes a function out of text that was compiled, which hides what it does. Write the function itself."))
((exec_statement) @refuse
 (#set! rule "python.eval") (#set! message "$eval"))
;; A name that is Python's again after it was the program's own.
([(delete_statement (identifier) @refuse)
  (delete_statement (expression_list (identifier) @refuse))
  (global_statement (identifier) @refuse)
  (nonlocal_statement (identifier) @refuse)]
 (#any-of? @refuse "eval" "exec" "compile" "__import__")
 (#set! rule "python.eval")
 (#set! message "`%s` is the name of a function of Python, and here it is not clear which one is meant. Use another name for yours."))
;; Text for a function of the library that runs it.
((call function: (_) @_f arguments: (argument_list (_) @refuse))
 (#path? @_f "timeit.timeit" "timeit.repeat" "timeit.Timer" "cProfile.run"
   "cProfile.runctx" "profile.run" "profile.runctx" "typing.ForwardRef")
 (#const-match? @refuse "\\b(eval|exec|compile|__import__|importlib|subprocess|os|builtins|__builtins__|pty|ctypes|socket)\\b")
 (#set! rule "python.eval")
 (#set! message "This text is run as a program and does more than to call a function. Give a function instead of a text."))


;; Modules by name.

([(identifier) (attribute) (subscript) (call)] @refuse
 (#path? @refuse "$import" "importlib.import_module" "importlib.reload"
   "importlib.__import__")
 (#not-inside? @refuse "import_from_statement")
 (#set! rule "python.import") (#set! message "$import"))
([(import_statement name: (dotted_name) @refuse)
  (import_statement name: (aliased_import name: (dotted_name) @refuse))
  (import_from_statement module_name: (dotted_name) @refuse)
  (import_from_statement name: (dotted_name) @refuse)
  (import_from_statement
    name: (aliased_import name: (dotted_name) @refuse))
  (call) @refuse (subscript) @refuse]
 (#path? @refuse "$imports" "$import")
 (#set! rule "python.import") (#set! message "$import"))
((attribute attribute: (identifier) @refuse)
 (#any-of? @refuse "load_module" "exec_module" "find_spec"
   "__loader__" "__spec__" "__import__")
 (#set! rule "python.import") (#set! message "$import"))


;; The interpreter's own objects.

([(identifier) (attribute) (subscript) (call)] @refuse
 (#path? @refuse "$walk") (#not-inside? @refuse "import_from_statement")
 (#set! rule "python.internals") (#set! message "$walk"))
([(import_from_statement name: (dotted_name) @refuse)
  (import_from_statement
    name: (aliased_import name: (dotted_name) @refuse))]
 (#path? @refuse "$walk")
 (#set! rule "python.internals") (#set! message "$walk"))
((attribute attribute: (identifier) @refuse)
 (#any-of? @refuse "$inner")
 (#set! rule "python.internals") (#set! message "$walk"))
;; The same in letters that only look different.
((attribute attribute: (identifier) @refuse) @_whole
 (#match? @refuse "[^\\x00-\\x7f]")
 (#path? @_whole "*.__globals__" "*.__builtins__" "*.__subclasses__"
   "*.__self__" "*.f_globals" "*.f_builtins" "*.f_back"
   "*.*.__globals__" "*.*.__builtins__" "*.*.__subclasses__")
 (#set! rule "python.internals") (#set! message "$walk"))
;; The module behind a function of Python.
((attribute object: (identifier) @_f attribute: (identifier) @refuse)
 (#eq? @refuse "__self__")
 (#path? @_f "print" "len" "abs" "all" "any" "ascii" "bin" "callable" "chr"
   "dir" "divmod" "format" "getattr" "globals" "hasattr" "hash" "hex" "id"
   "input" "isinstance" "issubclass" "iter" "locals" "max" "min" "next" "oct"
   "open" "ord" "pow" "repr" "round" "setattr" "sorted" "sum" "vars"
   "builtins.*")
 (#set! rule "python.internals") (#set! message "$walk"))
;; A program may ask its own classes what was made of them, not everything.
((attribute object: (_) @_object attribute: (identifier) @refuse)
 (#eq? @refuse "__subclasses__")
 (#not-match? @_object "^([A-Z]\\w*|cls|self\\.__class__|type\\(self\\)|base)$")
 (#set! rule "python.internals")
 (#set! message "`%s` of this object lists classes that are not the program's own. Ask a class of yours."))
((attribute object: (_) @_object attribute: (identifier) @refuse)
 (#eq? @refuse "__subclasses__")
 (#path? @_object "object" "type" "builtins.*" "os.*" "?.*")
 (#set! rule "python.internals")
 (#set! message "`%s` of this object lists classes that are not the program's own. Ask a class of yours."))
((attribute
   object: [(string) (tuple) (list) (dictionary) (integer) (float) (true)
            (none) (set) (false) (parenthesized_expression)
            (list_comprehension) (concatenated_string)]
   attribute: (identifier) @_class) @refuse
 (#any-of? @_class "__class__" "__mro__" "__bases__" "__base__")
 (#set! rule "python.internals")
 (#set! message "`%s` is where a walk through Python's own classes begins. Use `type()` for the name of a type, `isinstance()` to ask for one."))
;; The same names as text, for getattr() and the like.
([(string) (concatenated_string) (binary_operator) (call)] @refuse
 (#const? @refuse "$texts")
 (#set! rule "python.internals")
 (#set! message "%s is a name of Python's own objects, and there is no use for it as a text but to get at them."))
([(assignment left: (attribute attribute: (identifier) @_code) @refuse)
  (call function: (attribute object: (attribute
    attribute: (identifier) @_code)) @refuse)]
 (#eq? @_code "__code__")
 (#set! rule "python.internals.code")
 (#set! message "`%s`: the compiled form of a function is changed here, which hides what the function does. Define another function."))
((call function: (identifier) @_f
   arguments: (argument_list (_) . (string) @refuse))
 (#path? @_f "setattr") (#const? @refuse "__code__")
 (#set! rule "python.internals.code")
 (#set! message "%s: the compiled form of a function is changed here, which hides what the function does. Define another function."))
