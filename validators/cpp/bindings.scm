;; What names stand for in C++; docs/policies.md explains the words.
;;
; splice: yes

((function_definition) @scope (#set! kind "function"))
(compound_statement) @scope
(for_statement) @scope

(identifier) @reference
(preproc_params (identifier) @name)

;; Definitions.  A function that is only declared, and a variable that is
;; extern, are somebody else's: they hide nothing.
((declaration
  declarator: [(identifier) @define
   (pointer_declarator declarator: (identifier) @define)
   (pointer_declarator declarator: (pointer_declarator
     declarator: (identifier) @define))
   (pointer_declarator declarator: (pointer_declarator
     declarator: (pointer_declarator declarator: (identifier) @define)))
   (array_declarator declarator: (identifier) @define)
   (array_declarator declarator: (array_declarator
     declarator: (identifier) @define))
   (array_declarator declarator: (array_declarator
     declarator: (array_declarator declarator: (identifier) @define)))
   (pointer_declarator declarator: (array_declarator
     declarator: (identifier) @define))
   (function_declarator declarator: (parenthesized_declarator
     (pointer_declarator declarator: (identifier) @define)))
   (function_declarator declarator: (parenthesized_declarator
     (pointer_declarator declarator: (array_declarator
       declarator: (identifier) @define))))
   (reference_declarator (identifier) @define)]) @_whole
 (#not-match? @_whole "\\bextern\\b"))
((declaration declarator: (init_declarator
  declarator: [(identifier) @define
   (pointer_declarator declarator: (identifier) @define)
   (pointer_declarator declarator: (pointer_declarator
     declarator: (identifier) @define))
   (pointer_declarator declarator: (pointer_declarator
     declarator: (pointer_declarator declarator: (identifier) @define)))
   (array_declarator declarator: (identifier) @define)
   (array_declarator declarator: (array_declarator
     declarator: (identifier) @define))
   (array_declarator declarator: (array_declarator
     declarator: (array_declarator declarator: (identifier) @define)))
   (pointer_declarator declarator: (array_declarator
     declarator: (identifier) @define))
   (function_declarator declarator: (parenthesized_declarator
     (pointer_declarator declarator: (identifier) @define)))
   (function_declarator declarator: (parenthesized_declarator
     (pointer_declarator declarator: (array_declarator
       declarator: (identifier) @define))))
   (reference_declarator (identifier) @define)])) @_whole
 (#not-match? @_whole "^extern\\b"))

(function_definition declarator: (function_declarator
  parameters: (parameter_list (parameter_declaration
  declarator: [(identifier) @define
   (pointer_declarator declarator: (identifier) @define)
   (pointer_declarator declarator: (pointer_declarator
     declarator: (identifier) @define))
   (pointer_declarator declarator: (pointer_declarator
     declarator: (pointer_declarator declarator: (identifier) @define)))
   (array_declarator declarator: (identifier) @define)
   (array_declarator declarator: (array_declarator
     declarator: (identifier) @define))
   (array_declarator declarator: (array_declarator
     declarator: (array_declarator declarator: (identifier) @define)))
   (pointer_declarator declarator: (array_declarator
     declarator: (identifier) @define))
   (function_declarator declarator: (parenthesized_declarator
     (pointer_declarator declarator: (identifier) @define)))
   (function_declarator declarator: (parenthesized_declarator
     (pointer_declarator declarator: (array_declarator
       declarator: (identifier) @define))))
   (reference_declarator (identifier) @define)]))))
(function_definition declarator: (function_declarator
  parameters: (parameter_list (optional_parameter_declaration
  declarator: [(identifier) @define
   (pointer_declarator declarator: (identifier) @define)
   (pointer_declarator declarator: (pointer_declarator
     declarator: (identifier) @define))
   (pointer_declarator declarator: (pointer_declarator
     declarator: (pointer_declarator declarator: (identifier) @define)))
   (array_declarator declarator: (identifier) @define)
   (array_declarator declarator: (array_declarator
     declarator: (identifier) @define))
   (array_declarator declarator: (array_declarator
     declarator: (array_declarator declarator: (identifier) @define)))
   (pointer_declarator declarator: (array_declarator
     declarator: (identifier) @define))
   (function_declarator declarator: (parenthesized_declarator
     (pointer_declarator declarator: (identifier) @define)))
   (function_declarator declarator: (parenthesized_declarator
     (pointer_declarator declarator: (array_declarator
       declarator: (identifier) @define))))
   (reference_declarator (identifier) @define)]))))

(function_definition declarator: (_ (function_declarator
  parameters: (parameter_list (parameter_declaration
  declarator: [(identifier) @define
   (pointer_declarator declarator: (identifier) @define)
   (pointer_declarator declarator: (pointer_declarator
     declarator: (identifier) @define))
   (pointer_declarator declarator: (pointer_declarator
     declarator: (pointer_declarator declarator: (identifier) @define)))
   (array_declarator declarator: (identifier) @define)
   (array_declarator declarator: (array_declarator
     declarator: (identifier) @define))
   (array_declarator declarator: (array_declarator
     declarator: (array_declarator declarator: (identifier) @define)))
   (pointer_declarator declarator: (array_declarator
     declarator: (identifier) @define))
   (function_declarator declarator: (parenthesized_declarator
     (pointer_declarator declarator: (identifier) @define)))
   (function_declarator declarator: (parenthesized_declarator
     (pointer_declarator declarator: (array_declarator
       declarator: (identifier) @define))))
   (reference_declarator (identifier) @define)])))))
(function_definition declarator: (_ (function_declarator
  parameters: (parameter_list (optional_parameter_declaration
  declarator: [(identifier) @define
   (pointer_declarator declarator: (identifier) @define)
   (pointer_declarator declarator: (pointer_declarator
     declarator: (identifier) @define))
   (pointer_declarator declarator: (pointer_declarator
     declarator: (pointer_declarator declarator: (identifier) @define)))
   (array_declarator declarator: (identifier) @define)
   (array_declarator declarator: (array_declarator
     declarator: (identifier) @define))
   (array_declarator declarator: (array_declarator
     declarator: (array_declarator declarator: (identifier) @define)))
   (pointer_declarator declarator: (array_declarator
     declarator: (identifier) @define))
   (function_declarator declarator: (parenthesized_declarator
     (pointer_declarator declarator: (identifier) @define)))
   (function_declarator declarator: (parenthesized_declarator
     (pointer_declarator declarator: (array_declarator
       declarator: (identifier) @define))))
   (reference_declarator (identifier) @define)])))))

((function_definition declarator: (function_declarator
   declarator: (identifier) @define))
 (#set! in "outer"))
((function_definition declarator: (_ (function_declarator
   declarator: (identifier) @define)))
 (#set! in "outer"))
(enumerator name: (identifier) @define)

;; What only C++ has.
((lambda_expression) @scope (#set! kind "function"))
(for_range_loop) @scope
(catch_clause) @scope
(namespace_definition body: (declaration_list) @scope)
(field_declaration_list) @scope
(namespace_identifier) @reference
(template_argument_list (type_descriptor type: (type_identifier) @reference))

(lambda_expression declarator: (abstract_function_declarator
  parameters: (parameter_list (parameter_declaration
    declarator: [(identifier) @define
      (pointer_declarator declarator: (identifier) @define)
      (reference_declarator (identifier) @define)]))))
(catch_clause parameters: (parameter_list (parameter_declaration
  declarator: [(identifier) @define
    (pointer_declarator declarator: (identifier) @define)
    (reference_declarator (identifier) @define)])))
(for_range_loop declarator: [(identifier) @define
  (reference_declarator (identifier) @define)])
(structured_binding_declarator (identifier) @define)
(lambda_capture_initializer left: (identifier) @define)
(class_specifier name: (type_identifier) @define)
(struct_specifier name: (type_identifier) @define)
((field_declaration_list (function_definition declarator:
   [(function_declarator declarator: (field_identifier) @define)
    (_ (function_declarator declarator: (field_identifier) @define))]))
 (#set! in "outer"))
(field_declaration declarator:
  [(field_identifier) @define
   (pointer_declarator declarator: (field_identifier) @define)
   (array_declarator declarator: (field_identifier) @define)
   (array_declarator declarator: (array_declarator
     declarator: (field_identifier) @define))
   (function_declarator declarator: (field_identifier) @define)
   (pointer_declarator declarator: (function_declarator
     declarator: (field_identifier) @define))
   (reference_declarator (function_declarator
     declarator: (field_identifier) @define))
   (function_declarator declarator: (parenthesized_declarator
     (pointer_declarator declarator: (field_identifier) @define)))])

(using_declaration "namespace"
  [(identifier) (qualified_identifier)] @import.star)
(using_declaration . "using" . (qualified_identifier) @import.path)
;; ::name is the global one, whatever is called so nearer by.
(qualified_identifier !scope name: (identifier) @import.path)
(namespace_alias_definition name: (namespace_identifier) @bind.name
  [(namespace_identifier) (nested_namespace_specifier)] @bind.value)
(qualified_identifier scope: (namespace_identifier) @member.object
  name: (_) @member.name) @member

;; Macros.
(preproc_def name: (identifier) @macro.name value: (preproc_arg) @macro.body)
(preproc_function_def name: (identifier) @macro.name
  value: (preproc_arg) @macro.body)
((call_expression function: (_) @call.function
   arguments: (argument_list [(_) @call.argument ","]*)) @call)

;; Expressions that are one of their parts.
(parenthesized_expression (_) @same.value) @same
(pointer_expression argument: (_) @same.value) @same
(cast_expression value: (_) @same.value) @same
(comma_expression right: (_) @same.value) @same
(conditional_expression consequence: (_) @same.value) @same
(conditional_expression alternative: (_) @same.value) @same

;; Constant strings.
(string_literal [(string_content) @string.text
                 (escape_sequence) @string.text]*) @string
(concatenated_string (string_literal)+ @string.part) @string
