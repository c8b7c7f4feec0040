;; JavaScript, level standard: starting processes, evaluating text, loading
;; modules by name, walking node's own objects.
;;
; inherits: light
;;
; list process: child_process cluster execa shelljs cross-spawn zx
; list process: process.execve process.spawn_sync
; list eval: eval vm repl
; list load: module.require module._load module._compile module.createRequire
; list load: module._extensions module._cache module.register
; list load: module.runMain module._resolveFilename module.prototype
; list load: module.parent.require process.getBuiltinModule
; list load: require.cache require.extensions process.mainModule
; list load: process.moduleLoadList module.constructor module.children


;; Processes.

((import_statement source: (string) @refuse)
 (#path? @refuse "$process")
 (#set! rule "javascript.process")
 (#set! message "%s starts other processes, and a program runs alone here. Do the work in JavaScript; for things at the same time use promises or `worker_threads`."))
((export_statement source: (string) @refuse)
 (#const-match? @refuse "^(node:)?(child_process|cluster)$")
 (#set! rule "javascript.process")
 (#set! message "%s starts other processes, and a program runs alone here. Do the work in JavaScript; for things at the same time use promises or `worker_threads`."))
([(call_expression) (member_expression) (subscript_expression)] @refuse
 (#path? @refuse "$process")
 (#set! rule "javascript.process")
 (#set! message "`%s` starts other processes, and a program runs alone here. Do the work in JavaScript; for things at the same time use promises or `worker_threads`."))


;; Text as program.

([(identifier) (member_expression) (subscript_expression)
  (shorthand_property_identifier) (call_expression)] @refuse
 (#path? @refuse "$eval")
 (#set! rule "javascript.eval")
 (#set! message "`%s` runs text as a program, which hides what the program does. For numbers use `Number()`, for data `JSON.parse()`, for a choice of functions an object or a `Map`."))
((import_statement source: (string) @refuse)
 (#path? @refuse "$eval")
 (#set! rule "javascript.eval")
 (#set! message "%s runs text as a program, which hides what the program does. Write functions instead."))
((export_statement source: (string) @refuse)
 (#const-match? @refuse "^(node:)?(vm|repl|module)$")
 (#set! rule "javascript.eval")
 (#set! message "%s runs text as a program, which hides what the program does. Write functions instead."))
;; Function makes a function of text; to ask whether something is one is fine.
([(call_expression function: (_) @refuse)
  (new_expression constructor: (_) @refuse)
  (arguments (identifier) @refuse)
  (arguments (member_expression) @refuse)
  (array (identifier) @refuse)
  (pair value: (identifier) @refuse)
  (return_statement (identifier) @refuse)
  (arrow_function body: (identifier) @refuse)
  (class_heritage (identifier) @refuse)
  (assignment_expression left: [(member_expression) (subscript_expression)]
    right: (identifier) @refuse)
  (shorthand_property_identifier) @refuse]
 (#path? @refuse "Function" "Function.prototype.constructor"
   "globalThis.AsyncFunction")
 (#not-match? @refuse "^Function(\\.prototype)?\\.(call|apply)\\.bind$")
 (#set! rule "javascript.eval")
 (#set! message "`%s` makes a function out of text, which hides what the program does. Write the function itself: `(a, b) => a + b`."))
((object_pattern [(shorthand_property_identifier_pattern) @refuse
                  (pair_pattern key: (_) @refuse)])
 (#any-of? @refuse "eval" "Function" "constructor" "'constructor'"
   "\"constructor\"" "mainModule" "getBuiltinModule")
 (#inside? @refuse "variable_declarator" "assignment_expression"
   "formal_parameters")
 (#set! rule "javascript.eval")
 (#set! message "`%s` runs text as a program or leads to what does. Write functions instead."))
;; The constructor of any function is Function.
((member_expression
   object: [(member_expression property: (property_identifier) @_inner)
            (subscript_expression index: (string) @_inner)]
   property: (property_identifier) @_outer) @refuse
 (#any-of? @_inner "constructor" "'constructor'" "\"constructor\"")
 (#eq? @_outer "constructor")
 (#set! rule "javascript.eval.constructor")
 (#set! message "`%s` is `Function`, which makes a function out of text. Write the function itself."))
((member_expression
   object: (parenthesized_expression
     [(function_expression) (arrow_function) (generator_function) (class)])
   property: (property_identifier) @_constructor) @refuse
 (#match? @_constructor "^(c|\\\\u)")
 (#path? @refuse "?.constructor" "constructor" "*.constructor")
 (#set! rule "javascript.eval.constructor")
 (#set! message "The constructor of a function is `Function`, which makes a function out of text. Write the function itself."))
((member_expression
   object: (member_expression
     object: [(array) (string) (object) (number) (template_string) (regex)
              (true) (false)])
   property: (property_identifier)) @refuse
 (#path? @refuse "*.*.constructor")
 (#set! rule "javascript.eval.constructor")
 (#set! message "The constructor of a function is `Function`, which makes a function out of text. Write the function itself."))
((call_expression
   function: [(member_expression) (subscript_expression) (identifier)
              (parenthesized_expression)] @refuse)
 (#path? @refuse "*.constructor" "*.*.constructor" "*.*.*.constructor"
   "*.*.*.*.constructor")
 (#not-match? @refuse "^super\\.")
 (#set! rule "javascript.eval.constructor")
 (#set! message "`%s` called like this is `Function`, which makes a function out of text. Write the function itself; another object of a class is `new this.constructor()`."))
((new_expression
   constructor: [(member_expression) (subscript_expression) (identifier)]
     @refuse
   arguments: (arguments [(string) (template_string)]))
 (#path? @refuse "*.constructor" "*.*.constructor" "*.*.*.constructor")
 (#not-match? @refuse "^this\\.")
 (#set! rule "javascript.eval.constructor")
 (#set! message "`%s` given a text may be `Function`, which makes a function out of it. Name the class."))
([(subscript_expression index: (_) @_key)
  (call_expression arguments: (arguments . (_) . (_) @_key))] @refuse
 (#const? @_key "constructor" "eval" "Function")
 (#path? @refuse "*.constructor" "*.*.constructor" "*.*.*.constructor"
   "eval" "Function")
 (#set! rule "javascript.eval.constructor")
 (#set! message "`%s` leads to `Function`, which makes a function out of text. Write functions instead."))
((call_expression
   function: (_) @_f arguments: (arguments . [(function_expression)
     (arrow_function) (generator_function) (class)])) @refuse
 (#path? @_f "Object.getPrototypeOf" "Reflect.getPrototypeOf")
 (#set! rule "javascript.eval.constructor")
 (#set! message "The prototype of a function leads to `Function`, which makes a function out of text. Write the function itself."))
((call_expression
   function: (parenthesized_expression [(function_expression
     body: (statement_block . (return_statement (this))))])) @refuse
 (#set! rule "javascript.eval.global")
 (#set! message "This is the global object by another name, and it hides which part of it is used. Write the name of that part."))
((call_expression
   function: (member_expression object: (parenthesized_expression
     (function_expression
       body: (statement_block . (return_statement (this))))))) @refuse
 (#set! rule "javascript.eval.global")
 (#set! message "This is the global object by another name, and it hides which part of it is used. Write the name of that part."))
([(subscript_expression) (call_expression)] @refuse
 (#path? @refuse "globalThis.?" "process.?" "module.?" "require.?")
 (#set! rule "javascript.eval.global")
 (#set! message "`%s` picks something by a name that is only known at run time, and it could be anything. Write the name out."))
((call_expression function: (_) @_f
   arguments: (arguments . (_) @refuse))
 (#path? @refuse "globalThis" "process" "module" "require" "Function")
 (#path? @_f "Object.values" "Object.entries" "Object.getOwnPropertyNames"
   "Object.getOwnPropertyDescriptors" "Reflect.ownKeys" "Reflect.apply"
   "Reflect.construct" "Object.getOwnPropertySymbols")
 (#set! rule "javascript.eval.global")
 (#set! message "Going through all parts of `%s` hides which of them is used. Write the name of the part."))
((with_statement object: (_) @refuse)
 (#path? @refuse "globalThis" "process" "module" "require" "Reflect")
 (#set! rule "javascript.eval.global")
 (#set! message "`with` on this object hides which part of it is used. Write the name of the part."))
;; A worker or a module out of text.
((new_expression
   arguments: (arguments (object (pair key: (_) @_key) @refuse)))
 (#any-of? @_key "eval" "'eval'" "\"eval\"")
 (#set! rule "javascript.eval")
 (#set! message "A worker whose program is a text hides what it does. Put the worker's program into a file and give its name."))
([(string) (template_string) (binary_expression)] @refuse
 (#const-match? @refuse "^data:(text|application)/(javascript|ecmascript)")
 (#set! rule "javascript.eval")
 (#set! message "A module out of text hides what the program does. Put it into a file and give its name."))


;; Modules by name.

([(identifier) (member_expression) (subscript_expression) (call_expression)
  (shorthand_property_identifier)] @refuse
 (#path? @refuse "$load")
 (#set! rule "javascript.load")
 (#set! message "`%s` loads modules behind the program that can be checked. Write `require('name')` or `import`."))
((member_expression property: (property_identifier) @refuse)
 (#any-of? @refuse "_load" "_compile" "createRequire" "mainModule"
   "getBuiltinModule" "_linkedBinding")
 (#set! rule "javascript.load")
 (#set! message "`%s` loads modules behind the program that can be checked. Write `require('name')` or `import`."))
((subscript_expression index: (_) @_name) @refuse
 (#const? @_name "mainModule" "getBuiltinModule" "_linkedBinding")
 (#set! rule "javascript.load")
 (#set! message "`%s` loads modules behind the program that can be checked. Write `require('name')` or `import`."))
((member_expression property: (property_identifier) @_name) @refuse
 (#eq? @_name "require")
 (#set! rule "javascript.load")
 (#set! message "`%s` loads modules behind the program that can be checked. Write `require('name')` or `import`."))
((import_statement source: (string) @refuse)
 (#path? @refuse "module")
 (#set! rule "javascript.load")
 (#set! message "%s loads modules behind the program that can be checked. Write `require('name')` or `import`."))
((call_expression function: (_) @_f arguments: (arguments . (_) @refuse))
 (#path? @_f "require") (#not-const? @refuse)
 (#set! rule "javascript.load")
 (#set! message "Which module this is cannot be seen: `%s` is only known at run time. Write its name in quotes."))
((call_expression function: (_) @_f
   arguments: (arguments . (string) @refuse))
 (#path? @_f "require") (#const? @refuse "module" "node:module")
 (#set! rule "javascript.load")
 (#set! message "%s loads modules behind the program that can be checked. Write `require('name')` or `import`."))
((call_expression function: (import) arguments: (arguments . (_) @refuse))
 (#not-const? @refuse)
 (#set! rule "javascript.load")
 (#set! message "Which module this is cannot be seen: `%s` is only known at run time. Write its name in quotes."))
([(arguments (identifier) @refuse)
  (array (identifier) @refuse)
  (pair value: (identifier) @refuse)
  (object (shorthand_property_identifier) @refuse)
  (return_statement (identifier) @refuse)
  (arrow_function body: (identifier) @refuse)
  (assignment_expression left: [(member_expression) (subscript_expression)]
    right: (identifier) @refuse)]
 (#path? @refuse "require" "module")
 (#set! rule "javascript.load")
 (#set! message "`%s` itself is passed on here, so nobody can see which modules are loaded. Load the module and pass that."))
([(arguments (identifier) @refuse)
  (array (identifier) @refuse)
  (pair value: (identifier) @refuse)
  (object (shorthand_property_identifier) @refuse)
  (return_statement (identifier) @refuse)
  (arrow_function body: (identifier) @refuse)
  (spread_element (identifier) @refuse)]
 (#path? @refuse "process")
 (#set! rule "javascript.load")
 (#set! message "`%s` itself is passed on here, so nobody can see what is done with it. Pass the part that is needed, as `process.argv`."))
