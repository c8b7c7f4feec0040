;; What names stand for in Lua; docs/policies.md explains the words.
;;
; rewrite: _G =>
; rewrite: _ENV =>
; rewrite: package.loaded =>

((function_declaration) @scope (#set! kind "function"))
((function_definition) @scope (#set! kind "function"))
(do_statement) @scope
(for_statement) @scope
(while_statement) @scope
(repeat_statement) @scope
(if_statement) @scope

(identifier) @reference
(field name: (identifier) @name)
(dot_index_expression field: (identifier) @name)
(method_index_expression method: (identifier) @name)

(parameters name: (identifier) @define)
((function_declaration name: (identifier) @define) (#set! in "outer"))
(for_generic_clause (variable_list name: (identifier) @define))
(for_numeric_clause name: (identifier) @define)
(assignment_statement (variable_list . name: (identifier) @bind.name)
  (expression_list . value: (_) @bind.value))
(assignment_statement (variable_list . (_) . name: (identifier) @bind.name)
  (expression_list . (_) . value: (_) @bind.value))
(variable_declaration (variable_list name: (identifier) @define))

(dot_index_expression table: (_) @member.object
  field: (identifier) @member.name) @member
(bracket_index_expression table: (_) @member.object
  field: (_) @member.key) @member
(method_index_expression table: (_) @member.object
  method: (identifier) @member.name) @member
((function_call name: (_) @_f
   arguments: (arguments . (_) @member.object . (_) @member.key)) @member
 (#path? @_f "rawget"))
((function_call name: (_) @_f arguments: (arguments . (_) @module.name))
 @module
 (#path? @_f "require"))
(function_call name: (_) @call.function) @call

(parenthesized_expression (_) @same.value) @same
(binary_expression left: (_) @same.value ["or" "and"]) @same
(binary_expression ["or" "and"] right: (_) @same.value) @same

(string content: (string_content) @string.text) @string
(binary_expression left: (_) @string.part ".." right: (_) @string.part)
 @string
