;; What names stand for in Python; docs/policies.md explains the words.
;;
; comments: #
; rewrite: globals() =>
; rewrite: locals() =>
; rewrite: vars() =>
; rewrite: sys.modules =>
; rewrite: __builtins__ => builtins
; rewrite: posix => os
; rewrite: nt => os
;;
;; Names that must not be hidden by what never happens (`if 0: eval = 1`).
; list builtin: eval exec compile __import__

;; Scopes.  Only a class body is one that its functions do not look into.
((function_definition) @scope (#set! kind "function"))
((lambda) @scope (#set! kind "function"))
((list_comprehension) @scope (#set! kind "function"))
((set_comprehension) @scope (#set! kind "function"))
((dictionary_comprehension) @scope (#set! kind "function"))
((generator_expression) @scope (#set! kind "function"))
((class_definition body: (block) @scope) (#set! kind "class"))

(identifier) @reference
(keyword_argument name: (identifier) @name)
(keyword_pattern (identifier) @name)
(dotted_name (identifier) @name)
(global_statement (identifier) @name)
(nonlocal_statement (identifier) @name)

;; Definitions.  What a function assigns anywhere is its own name from its
;; first line on; in a module or a class body a builtin name is hidden only by
;; a statement that stands there by itself.
((function_definition name: (identifier) @define)
 (#not-any-of? @define "$builtin") (#set! in "outer"))
((function_definition name: (identifier) @define) @_whole
 (#any-of? @define "$builtin") (#inside? @_whole "function_definition")
 (#set! in "outer"))
((module (function_definition name: (identifier) @define))
 (#set! in "outer") (#set! after "yes"))
((module (decorated_definition
   definition: (function_definition name: (identifier) @define)))
 (#set! in "outer") (#set! after "yes"))
((class_definition body: (block
   (function_definition name: (identifier) @define)))
 (#set! in "outer"))
((class_definition body: (block (decorated_definition
   definition: (function_definition name: (identifier) @define))))
 (#set! in "outer"))

((class_definition name: (identifier) @define)
 (#not-any-of? @define "$builtin"))
((class_definition name: (identifier) @define)
 (#any-of? @define "$builtin") (#inside? @define "function_definition"))
((module (class_definition name: (identifier) @define))
 (#set! after "yes"))

(parameters (identifier) @define)
(lambda_parameters (identifier) @define)
(parameters (list_splat_pattern (identifier) @define))
(parameters (dictionary_splat_pattern (identifier) @define))
(lambda_parameters (list_splat_pattern (identifier) @define))
(lambda_parameters (dictionary_splat_pattern (identifier) @define))
(typed_parameter (identifier) @define)
(typed_parameter (list_splat_pattern (identifier) @define))
(typed_parameter (dictionary_splat_pattern (identifier) @define))
(default_parameter name: (identifier) @bind.name value: (_) @bind.value)
(typed_default_parameter name: (identifier) @bind.name
 value: (_) @bind.value)

(for_in_clause left: (identifier) @define)
(for_in_clause left: (_ (identifier) @define))
((for_statement left: (identifier) @define)
 (#not-any-of? @define "$builtin"))
((for_statement left: (_ (identifier) @define))
 (#not-any-of? @define "$builtin"))
((for_statement left: (identifier) @bind.name
   right: [(tuple (_) @bind.value) (list (_) @bind.value)])
 (#not-any-of? @bind.name "$builtin"))
((for_in_clause left: (identifier) @bind.name
   right: [(tuple (_) @bind.value) (list (_) @bind.value)]))
((as_pattern_target (identifier) @define)
 (#not-any-of? @define "$builtin"))
((as_pattern_target (identifier) @define)
 (#any-of? @define "$builtin") (#inside? @define "function_definition"))
((as_pattern (identifier) @define .)
 (#not-any-of? @define "$builtin") (#inside? @define "case_clause"))
((case_pattern (dotted_name . (identifier) @define .))
 (#not-any-of? @define "$builtin"))

;; Assignments.
((assignment left: (identifier) @bind.name right: (_) @bind.value)
 (#not-any-of? @bind.name "$builtin"))
((assignment left: (identifier) @bind.name right: (_) @bind.value)
 (#any-of? @bind.name "$builtin")
 (#inside? @bind.name "function_definition"))
((module (expression_statement
   (assignment left: (identifier) @bind.name right: (_) @bind.value)))
 (#any-of? @bind.name "$builtin") (#set! after "yes"))
((augmented_assignment left: (identifier) @bind.name right: (_) @bind.value)
 (#not-any-of? @bind.name "$builtin"))
((named_expression name: (identifier) @bind.name value: (_) @bind.value)
 (#not-any-of? @bind.name "$builtin"))
(named_expression value: (_) @same.value) @same
(assignment right: (_) @same.value) @same

((pattern_list (identifier) @define) (#not-any-of? @define "$builtin"))
((tuple_pattern (identifier) @define) (#not-any-of? @define "$builtin"))
((list_pattern (identifier) @define) (#not-any-of? @define "$builtin"))
((list_splat_pattern (identifier) @define)
 (#not-any-of? @define "$builtin"))
((assignment
   left: (_ . (identifier) @bind.name)
   right: [(expression_list . (_) @bind.value) (tuple . (_) @bind.value)
           (list . (_) @bind.value)])
 (#not-any-of? @bind.name "$builtin"))
((assignment
   left: (_ . (_) . (identifier) @bind.name)
   right: [(expression_list . (_) . (_) @bind.value)
           (tuple . (_) . (_) @bind.value)
           (list . (_) . (_) @bind.value)])
 (#not-any-of? @bind.name "$builtin"))
((assignment
   left: (_ . (_) . (_) . (identifier) @bind.name)
   right: [(expression_list . (_) . (_) . (_) @bind.value)
           (tuple . (_) . (_) . (_) @bind.value)
           (list . (_) . (_) . (_) @bind.value)])
 (#not-any-of? @bind.name "$builtin"))
;; `global name` in a function, and what is assigned to it there.
((function_definition body: (block
   (global_statement (identifier) @_global)
   (expression_statement
     (assignment left: (identifier) @bind.name right: (_) @bind.value))))
 (#eq? @_global @bind.name) (#not-any-of? @bind.name "$builtin")
 (#set! in "root"))

;; Imports.  `import a.b` binds a.
(import_statement name: (dotted_name . (identifier) @import.path))
(import_statement name: (dotted_name . (identifier) @import.name)
  @import.path)
(import_statement name: (aliased_import
  name: (dotted_name) @import.path alias: (identifier) @import.name))
(import_from_statement module_name: (dotted_name) @import.from
  name: (dotted_name) @import.path)
(import_from_statement module_name: (dotted_name) @import.from
  name: (aliased_import name: (dotted_name) @import.path
    alias: (identifier) @import.name))
(import_from_statement module_name: (dotted_name) @import.star
  (wildcard_import))
((call function: (_) @_f arguments: (argument_list . (_) @module.name))
 @module
 (#path? @_f "__import__" "builtins.__import__" "importlib.__import__"
   "importlib.import_module"))
((call function: (_) @_f arguments: (argument_list
   (keyword_argument name: (identifier) @_key value: (_) @module.name)))
 @module
 (#path? @_f "__import__" "builtins.__import__" "importlib.__import__"
   "importlib.import_module")
 (#eq? @_key "name"))

;; Members, and the other ways to one.
(attribute object: (_) @member.object attribute: (identifier) @member.name)
 @member
(subscript value: (_) @member.object subscript: (_) @member.key) @member
((subscript
   value: (attribute object: (_) @member.object
     attribute: (identifier) @_dict)
   subscript: (_) @member.key) @member
 (#eq? @_dict "__dict__"))
((subscript
   value: (call function: (_) @_f
     arguments: (argument_list . (_) @member.object .))
   subscript: (_) @member.key) @member
 (#path? @_f "vars" "builtins.vars"))
((call
   function: (attribute object: (_) @member.object
     attribute: (identifier) @_method)
   arguments: (argument_list . (_) @member.key)) @member
 (#any-of? @_method "get" "pop" "setdefault" "__getitem__"
   "__getattribute__"))
((call
   function: (attribute
     object: (attribute object: (_) @member.object
       attribute: (identifier) @_dict)
     attribute: (identifier) @_method)
   arguments: (argument_list . (_) @member.key)) @member
 (#eq? @_dict "__dict__")
 (#any-of? @_method "get" "pop" "setdefault" "__getitem__"))
((call
   function: (attribute
     object: (call function: (_) @_f
       arguments: (argument_list . (_) @member.object .))
     attribute: (identifier) @_method)
   arguments: (argument_list . (_) @member.key)) @member
 (#path? @_f "vars" "builtins.vars")
 (#any-of? @_method "get" "pop" "setdefault" "__getitem__"))
((call function: (_) @_f
   arguments: (argument_list . (_) @member.object . (_) @member.key)) @member
 (#path? @_f "getattr" "builtins.getattr" "inspect.getattr_static"
   "object.__getattribute__" "builtins.object.__getattribute__"
   "operator.getitem"))
((call
   function: (attribute attribute: (identifier) @_method)
   arguments: (argument_list . (_) @member.object . (_) @member.key)) @member
 (#eq? @_method "__getattribute__"))
((call
   function: (call function: (_) @_f
     arguments: (argument_list . (_) @member.key .))
   arguments: (argument_list . (_) @member.object .)) @member
 (#path? @_f "operator.attrgetter" "operator.itemgetter"))
((call
   function: (call function: (_) @_f
     arguments: (argument_list . (_) @member.key))
   arguments: (argument_list . (_) @member.object .)) @member
 (#path? @_f "operator.methodcaller"))

;; Expressions that are one of their parts.
(parenthesized_expression (_) @same.value) @same
(await (_) @same.value) @same
(conditional_expression . (_) @same.value) @same
(conditional_expression (_) @same.value .) @same
(boolean_operator left: (_) @same.value) @same
(boolean_operator right: (_) @same.value) @same
(subscript value: (list (_) @same.value)) @same
(subscript value: (tuple (_) @same.value)) @same
(subscript value: (dictionary (pair value: (_) @same.value))) @same
(call function: (parenthesized_expression
  (lambda body: (_) @same.value))) @same
(call
  function: (parenthesized_expression
    (lambda parameters: (lambda_parameters . (identifier) @bind.name)))
  arguments: (argument_list . (_) @bind.value))

(call function: (_) @call.function) @call

;; Constant strings.
((string (string_start) @_start
   [(string_content) @string.text
    (interpolation expression: (_) @string.part)]*) @string
 (#not-match? @_start "[rR]"))
((string (string_start) @_start
   [(string_content) @string.text
    (interpolation expression: (_) @string.part)]*) @string
 (#match? @_start "[rR]") (#set! raw "yes"))
(concatenated_string (string)+ @string.part) @string
(binary_operator left: (_) @string.part operator: "+"
  right: (_) @string.part) @string
((call
   function: (attribute
     object: (string) @_between
     attribute: (identifier) @_method)
   arguments: (argument_list
     [(list [(_) @string.part ","]*) (tuple [(_) @string.part ","]*)])) @string
 (#eq? @_method "join") (#const? @_between ""))
((call
   function: (attribute object: (_) @string.part
     attribute: (identifier) @_method)) @string
 (#eq? @_method "decode"))
((call function: (identifier) @_f
   arguments: (argument_list . (_) @string.part)) @string
 (#eq? @_f "str"))
((call function: (identifier) @_f
   arguments: (argument_list . (integer) @string.code .)) @string
 (#eq? @_f "chr"))
