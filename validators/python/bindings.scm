;; What names mean in Python.

(identifier) @reference

((function_definition) @scope (#set! kind "function"))
((lambda) @scope (#set! kind "function"))
((class_definition) @scope (#set! kind "class"))

(module (function_definition name: (identifier) @define))
(module (class_definition name: (identifier) @define))

((parameters (identifier) @define))

(import_statement name: (dotted_name . (identifier) @import.path))
(import_statement
  name: (aliased_import name: (dotted_name) @import.path
                        alias: (identifier) @import.name))
(import_from_statement
  module_name: (dotted_name) @import.from
  name: (dotted_name) @import.path)
(import_from_statement
  module_name: (dotted_name) @import.from
  name: (aliased_import name: (dotted_name) @import.path
                        alias: (identifier) @import.name))
(import_from_statement
  module_name: (dotted_name) @import.star (wildcard_import))

(assignment left: (identifier) @bind.name right: (_) @bind.value)

(attribute object: (_) @member.object attribute: (identifier) @member.name)
  @member
(subscript value: (_) @member.object subscript: (_) @member.key) @member
(parenthesized_expression (_) @same.value) @same
(keyword_argument name: (identifier) @name)

(string (string_content)* @string.text) @string
(concatenated_string (string)* @string.part) @string
(binary_operator left: (_) @string.part operator: "+"
                 right: (_) @string.part) @string

((call function: (_) @_f arguments: (argument_list . (_) @module.name)) @module
  (#path? @_f "__import__" "importlib.import_module"))
((call function: (_) @_f
       arguments: (argument_list . (_) @member.object . (_) @member.key))
  @member
  (#path? @_f "getattr"))
