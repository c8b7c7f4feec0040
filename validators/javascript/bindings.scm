;; What names stand for in JavaScript; docs/policies.md explains the words.
;;
; strip: node:
; rewrite: global => globalThis
; rewrite: globalThis.globalThis => globalThis
; rewrite: globalThis.global => globalThis
; rewrite: globalThis.process => process
; rewrite: globalThis.eval => eval
; rewrite: globalThis.Function => Function
; rewrite: globalThis.Object => Object
; rewrite: globalThis.Reflect => Reflect
; rewrite: globalThis.fetch => fetch
; rewrite: globalThis.WebSocket => WebSocket
; rewrite: globalThis.EventSource => EventSource
; rewrite: globalThis.require => require
; rewrite: globalThis.module => module
; rewrite: process.mainModule => module
; rewrite: require.main => module
; rewrite: module.default => module
; rewrite: process.default => process
; rewrite: module.Module => module
; rewrite: module.constructor => module
;;
;; Names that an assignment without declaration does not hide.
; list outside: eval Function require process module global globalThis

(program) @scope
((function_declaration) @scope (#set! kind "function"))
((generator_function_declaration) @scope (#set! kind "function"))
((function_expression) @scope (#set! kind "function"))
((generator_function) @scope (#set! kind "function"))
((arrow_function) @scope (#set! kind "function"))
((method_definition) @scope (#set! kind "function"))
((class_static_block) @scope (#set! kind "function"))
(statement_block) @scope
(for_statement) @scope
(for_in_statement) @scope
(catch_clause) @scope
(switch_body) @scope
(class_declaration body: (class_body) @scope)

(identifier) @reference
(shorthand_property_identifier) @reference

;; Definitions.
((function_declaration name: (identifier) @define) (#set! in "outer"))
((generator_function_declaration name: (identifier) @define)
 (#set! in "outer"))
(function_expression name: (identifier) @define)
(generator_function name: (identifier) @define)
(class_declaration name: (identifier) @define)
(formal_parameters (identifier) @define)
(arrow_function parameter: (identifier) @define)
(catch_clause parameter: (identifier) @define)
(rest_pattern (identifier) @define)
(formal_parameters (assignment_pattern
  left: (identifier) @bind.name right: (_) @bind.value))
(array_pattern (identifier) @define)
(pair_pattern value: (identifier) @define)
(pair_pattern value: (assignment_pattern left: (identifier) @define))
(shorthand_property_identifier_pattern) @define
((for_in_statement kind: _ left: (identifier) @define))
((for_in_statement kind: _ left: (identifier) @bind.name
   right: (array (_) @bind.value)))
(lexical_declaration (variable_declarator
  name: (identifier) @define !value))
((variable_declaration (variable_declarator
   name: (identifier) @define !value))
 (#set! in "function"))

;; Values.
(lexical_declaration (variable_declarator
  name: (identifier) @bind.name value: (_) @bind.value))
((variable_declaration (variable_declarator
   name: (identifier) @bind.name value: (_) @bind.value))
 (#set! in "function"))
((assignment_expression left: (identifier) @bind.name right: (_) @bind.value)
 (#not-any-of? @bind.name "$outside"))
((assignment_expression left: (identifier) @bind.name right: (_) @bind.value)
 (#not-any-of? @bind.name "$outside") (#set! in "function"))
((assignment_expression left: (identifier) @bind.name right: (_) @bind.value)
 (#not-any-of? @bind.name "$outside") (#set! in "root"))
((augmented_assignment_expression
   left: (identifier) @bind.name right: (_) @bind.value)
 (#not-any-of? @bind.name "$outside") (#set! in "function"))
(assignment_expression right: (_) @same.value) @same

;; const {a, b: c, d = 1} = value; the same by assignment, and one deeper.
(variable_declarator
  name: (object_pattern (shorthand_property_identifier_pattern)
    @bind.name @bind.property)
  value: (_) @bind.value)
(variable_declarator
  name: (object_pattern (object_assignment_pattern
    left: (shorthand_property_identifier_pattern)
      @bind.name @bind.property))
  value: (_) @bind.value)
(variable_declarator
  name: (object_pattern (pair_pattern
    key: (property_identifier) @bind.property
    value: [(identifier) @bind.name
            (assignment_pattern left: (identifier) @bind.name)]))
  value: (_) @bind.value)
(variable_declarator
  name: (object_pattern (pair_pattern
    key: [(string) @bind.key (computed_property_name (_) @bind.key)]
    value: [(identifier) @bind.name
            (assignment_pattern left: (identifier) @bind.name)]))
  value: (_) @bind.value)
((assignment_expression
   left: (object_pattern (shorthand_property_identifier_pattern)
     @bind.name @bind.property)
   right: (_) @bind.value))
((assignment_expression
   left: (object_pattern (pair_pattern
     key: (property_identifier) @bind.property
     value: (identifier) @bind.name))
   right: (_) @bind.value)
 (#not-any-of? @bind.name "$outside"))
((assignment_expression
   left: (object_pattern (pair_pattern
     key: [(string) @bind.key (computed_property_name (_) @bind.key)]
     value: (identifier) @bind.name))
   right: (_) @bind.value)
 (#not-any-of? @bind.name "$outside"))
(variable_declarator
  name: (array_pattern . (identifier) @bind.name)
  value: (array . (_) @bind.value))
(variable_declarator
  name: (array_pattern . (_) . (identifier) @bind.name)
  value: (array . (_) . (_) @bind.value))
((assignment_expression
   left: (array_pattern . (identifier) @bind.name)
   right: (array . (_) @bind.value))
 (#not-any-of? @bind.name "$outside"))

;; Functions called where they stand: what they are given.
(call_expression
  function: (parenthesized_expression
    [(arrow_function parameter: (identifier) @bind.name)
     (arrow_function
       parameters: (formal_parameters . (identifier) @bind.name))
     (function_expression
       parameters: (formal_parameters . (identifier) @bind.name))])
  arguments: (arguments . (_) @bind.value))
(call_expression
  function: (parenthesized_expression
    [(arrow_function
       parameters: (formal_parameters . (object_pattern
         (shorthand_property_identifier_pattern)
           @bind.name @bind.property)))
     (function_expression
       parameters: (formal_parameters . (object_pattern
         (shorthand_property_identifier_pattern)
           @bind.name @bind.property)))])
  arguments: (arguments . (_) @bind.value))
(call_expression
  function: (parenthesized_expression
    [(arrow_function
       parameters: (formal_parameters . (object_pattern (pair_pattern
         key: (property_identifier) @bind.property
         value: (identifier) @bind.name))))
     (function_expression
       parameters: (formal_parameters . (object_pattern (pair_pattern
         key: (property_identifier) @bind.property
         value: (identifier) @bind.name))))])
  arguments: (arguments . (_) @bind.value))
(call_expression function: (parenthesized_expression
  (arrow_function body: (_) @same.value))) @same
(call_expression function: (parenthesized_expression
  (function_expression body: (statement_block
    (return_statement (_) @same.value))))) @same
(call_expression function: (parenthesized_expression
  (arrow_function body: (statement_block
    (return_statement (_) @same.value))))) @same

;; Modules.
(import_statement
  (import_clause (identifier) @import.name)
  source: (string) @import.path)
(import_statement
  (import_clause (namespace_import (identifier) @import.name))
  source: (string) @import.path)
(import_statement
  (import_clause (named_imports
    (import_specifier name: (_) @import.path alias: (_) @import.name)))
  source: (string) @import.from)
(import_statement
  (import_clause (named_imports
    (import_specifier name: (_) @import.path !alias)))
  source: (string) @import.from)
(import_statement . "import" . source: (string) @import.path)
((call_expression function: (_) @_f
   arguments: (arguments . (_) @module.name)) @module
 (#path? @_f "require" "module.require" "module._load"
   "module.createRequire()" "process.getBuiltinModule"
   "module.parent.require"))
(call_expression function: (import)
  arguments: (arguments . (_) @module.name)) @module

;; Members, and the other ways to one.
(member_expression object: (_) @member.object
  property: (property_identifier) @member.name) @member
(subscript_expression object: (_) @member.object index: (_) @member.key)
 @member
((call_expression function: (_) @_f
   arguments: (arguments . (_) @member.object . (_) @member.key)) @member
 (#path? @_f "Reflect.get" "Object.getOwnPropertyDescriptor"
   "Reflect.getOwnPropertyDescriptor"))
((member_expression object: (_) @same.value
   property: (property_identifier) @_part) @same
 (#any-of? @_part "value" "default" "call" "apply" "bind"))
((call_expression function: (member_expression
   object: (_) @same.value property: (property_identifier) @_part)) @same
 (#eq? @_part "bind"))
((call_expression function: (_) @_f
   arguments: (arguments (_) @same.value)) @same
 (#path? @_f "Object.assign" "Object.create" "Object.freeze" "Object"))

;; Expressions that are one of their parts.
(parenthesized_expression (_) @same.value) @same
(sequence_expression (_) @same.value .) @same
(ternary_expression consequence: (_) @same.value) @same
(ternary_expression alternative: (_) @same.value) @same
(binary_expression left: (_) @same.value operator: ["||" "??" "&&"]) @same
(binary_expression operator: ["||" "??" "&&"] right: (_) @same.value) @same
(await_expression (_) @same.value) @same
(subscript_expression object: (array (_) @same.value)) @same
(member_expression object: (object (pair value: (_) @same.value))) @same
(subscript_expression object: (object (pair value: (_) @same.value))) @same

(call_expression function: (_) @call.function) @call

;; Constant strings.
(string [(string_fragment) @string.text
         (escape_sequence) @string.text]*) @string
(template_string
  [(string_fragment) @string.text (escape_sequence) @string.text
   (template_substitution (_) @string.part)]*) @string
(binary_expression left: (_) @string.part operator: "+"
  right: (_) @string.part) @string
((call_expression
   function: (member_expression object: (_) @string.part
     property: (property_identifier) @_method)
   arguments: (arguments [(_) @string.part ","]*)) @string
 (#eq? @_method "concat"))
((call_expression
   function: (member_expression object: (array [(_) @string.part ","]*)
     property: (property_identifier) @_method)
   arguments: (arguments . (string) @_between .)) @string
 (#eq? @_method "join") (#any-of? @_between "''" "\"\""))
((call_expression
   function: (member_expression property: (property_identifier) @_method)
   arguments: (arguments [(number) @string.code ","]+)) @string
 (#any-of? @_method "fromCharCode" "fromCodePoint"))
((call_expression
   function: (member_expression object: (_) @string.part
     property: (property_identifier) @_method)
   arguments: (arguments)) @string
 (#any-of? @_method "toString" "trim" "valueOf"))
((call_expression function: (identifier) @_f
   arguments: (arguments . (_) @string.part .)) @string
 (#eq? @_f "String"))
