;; Python, level strict: only modules of a list, only what a first course needs.
;;
; inherits: standard
;;
;; An operator's own list: a file that inherits this one and excepts
;; python.module.
; list allowed: json datetime math re typing collections itertools functools
; list allowed: random string statistics dataclasses enum heapq bisect decimal
; list allowed: fractions time copy operator collections.abc __future__
;;
; list calls: open globals locals vars dir getattr setattr delattr hasattr
; list calls: exit quit help builtins.open builtins.globals builtins.locals
; list calls: builtins.vars builtins.dir builtins.getattr builtins.setattr
; list calls: builtins.delattr builtins.hasattr builtins.exit builtins.quit
; list calls: builtins.help
;;
; list dunder: __init__ __str__ __repr__ __len__ __name__ __doc__ __eq__ __ne__
; list dunder: __lt__ __le__ __gt__ __ge__ __hash__ __add__ __sub__ __mul__
; list dunder: __iter__ __next__ __contains__ __getitem__ __setitem__ __call__
; list dunder: __enter__ __exit__ __new__ __post_init__ __bool__ __abs__
; list dunder: __qualname__ __format__ __missing__ __setattr__ __delattr__


([(import_statement name: (dotted_name) @refuse)
  (import_statement name: (aliased_import name: (dotted_name) @refuse))
  (import_from_statement module_name: (dotted_name) @refuse)]
 (#not-any-of? @refuse "$allowed")
 (#set! rule "python.module")
 (#set! message "`%s` is not among the modules that may be used here. These may: json datetime math re typing collections itertools functools random string statistics dataclasses enum heapq bisect decimal fractions time copy operator."))
((identifier) @refuse
 (#path? @refuse "$calls")
 (#set! rule "python.builtin")
 (#set! message "`%s` is not allowed at this level: it reaches files, or the program's own names as text. Use `input()` and `print()`, and attributes by their names."))
((attribute object: (_) @_object attribute: (identifier) @refuse)
 (#match? @refuse "^__.*__$") (#not-any-of? @refuse "$dunder")
 (#not-match? @_object "^super\\(.*\\)$")
 (#set! rule "python.dunder")
 (#set! message "`%s` belongs to Python's own objects, and this level does not allow to reach into them."))
((identifier) @refuse
 (#any-of? @refuse "__builtins__" "__loader__" "__spec__" "__build_class__")
 (#not-inside? @refuse "attribute" "import_statement")
 (#set! rule "python.dunder")
 (#set! message "`%s` belongs to Python's own objects, and this level does not allow to reach into them."))
((ERROR) @refuse
 (#set! rule "python.syntax")
 (#set! message "`%s` cannot be read as Python. The mistake is here or just before: look for a missing bracket, quote or colon, and at the indentation."))
((MISSING) @refuse
 (#set! rule "python.syntax")
 (#set! message "Something is missing here: a bracket, quote or colon."))
