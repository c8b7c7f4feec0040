;; What names stand for in Rust; docs/policies.md explains the words.
;;
; rewrite: core => std
; rewrite: alloc => std

((function_item) @scope (#set! kind "function"))
((closure_expression) @scope (#set! kind "function"))
(block) @scope
(mod_item body: (declaration_list) @scope)

(identifier) @reference
(type_identifier) @reference

;; Definitions that hide what a `use` of everything brings.
((function_item name: (identifier) @define) (#set! in "outer"))
(struct_item name: (type_identifier) @define)
(enum_item name: (type_identifier) @define)
(union_item name: (type_identifier) @define)
(trait_item name: (type_identifier) @define)
(type_item name: (type_identifier) @bind.name type: (_) @bind.value)
(mod_item name: (identifier) @define)
(let_declaration pattern: (identifier) @bind.name value: (_) @bind.value)
(let_declaration pattern: (identifier) @define)
(parameter pattern: (identifier) @define)
(const_item name: (identifier) @bind.name value: (_) @bind.value)

;; use a::b; use a::{b, c as d, self, e::*};
(use_declaration argument: [(scoped_identifier) (identifier)] @import.path)
(use_declaration argument: (use_wildcard (_) @import.star))
(use_as_clause path: (_) @import.path alias: (_) @import.name)
(use_list [(scoped_identifier) (identifier)] @import.path)
(use_list (use_wildcard (_) @import.star))
(scoped_use_list path: (_) @import.path list: (use_list (self)))
(scoped_use_list path: (_) @import.path list: (use_list
  (use_as_clause path: (self) alias: (_) @import.name)))
(scoped_use_list path: (_) @prefix.path list: (use_list) @prefix)
(extern_crate_declaration name: (identifier) @import.path
  alias: (identifier) @import.name)

(scoped_identifier path: (_) @member.object name: (_) @member.name) @member
(scoped_type_identifier path: (_) @member.object name: (_) @member.name)
 @member
;; ::std::name
(scoped_identifier !path name: (_) @same.value) @same
(bracketed_type (_) @same.value) @same
(generic_type type: (_) @same.value) @same
(generic_function function: (_) @same.value) @same
(parenthesized_expression (_) @same.value) @same
(reference_expression value: (_) @same.value) @same
;; What a macro is given, and its body, are words in a row.
(token_tree (identifier) @member.object . "::"
  . (identifier) @member.name @member)

(call_expression function: (_) @call.function) @call
(string_literal [(string_content) @string.text
                 (escape_sequence) @string.text]*) @string
((raw_string_literal (string_content) @string.text) @string
 (#set! raw "yes"))
