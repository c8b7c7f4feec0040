;; C and C++, level standard: starting processes, system calls by number, names
;; that hide what is called.
;;
; inherits: light
;;
; list process: system popen fork vfork _Fork execl execle execlp execv execve
; list process: execvp execvpe execveat fexecve posix_spawn posix_spawnp
; list process: forkpty daemon wordexp clone3 __fork __vfork __clone
; list process: __libc_fork __libc_system _IO_popen __builtin_fork
; list process: __builtin_execl __builtin_execle __builtin_execlp
; list process: __builtin_execv __builtin_execve __builtin_execvp
; list process: std.system


((identifier) @refuse
 (#path? @refuse "$process")
 (#set! rule "c.process")
 (#set! message "`%s` starts another process, and a program runs alone here. Write what it does in the program itself (`system(\"pause\")` and `system(\"cls\")` can simply go); for things at the same time use threads."))
((call_expression function: (identifier) @refuse
   arguments: (argument_list (_) (_) (_) (_)))
 (#path? @refuse "clone")
 (#set! rule "c.process")
 (#set! message "`%s` starts another process, and a program runs alone here. For things at the same time use threads."))
((preproc_include path: (_) @refuse)
 (#match? @refuse "^[<\"](spawn|wordexp|pty|linux/sched)\\.h")
 (#set! rule "c.process")
 (#set! message "%s is for starting other processes, and a program runs alone here."))
((call_expression function: (call_expression) @refuse)
 (#path? @refuse "$process" "$network" "$native" "$trace" "syscall")
 (#set! rule "c.process")
 (#set! message "This macro makes the name of a function that is not allowed here."))
;; A name that is the library's again after it was the program's own.
([(preproc_def name: (identifier) @refuse)
  (preproc_function_def name: (identifier) @refuse)]
 (#any-of? @refuse "$process" "syscall")
 (#set! rule "c.process")
 (#set! message "`%s` is the name of a function of the library. Use another name for yours."))

((identifier) @refuse
 (#path? @refuse "syscall" "__NR_execve" "SYS_execve" "__NR_execveat"
   "SYS_execveat" "__NR_fork" "SYS_fork" "__NR_vfork" "SYS_vfork"
   "__NR_clone" "SYS_clone" "__NR_clone3" "SYS_clone3")
 (#set! rule "c.syscall")
 (#set! message "`%s` calls the system by number, which hides what is asked of it. Use the function that the library has for it."))
((preproc_include path: [(string_literal) (system_lib_string)] @refuse)
 (#match? @refuse "^[<\"]\\s*/")
 (#set! rule "c.include")
 (#set! message "%s is a file by its full path. Send your own files along and name them as they are called; the library's are found by name."))
;; What is included is checked as well when its name says what it is, or says
;; nothing; codr_language_includes() has the same endings.
((translation_unit) @refuse
 (#find? @refuse "#(?:[^\\S\\n]|\\x00|/\\*(?:[^*]|\\*(?!/))*+\\*/)*+(?:include(?:_next)?|import)(?:[^\\S\\n]|\\x00|/\\*(?:[^*]|\\*(?!/))*+\\*/)*+(?:\"(?![^\"\\n]*\\.(?:h|hh|hpp|hxx|h\\+\\+|inc|inl|ipp|tcc|tpp|def|c|cc|cpp|cxx)\"|(?:[^\"\\n]*/)?+[^\"./\\n]+\")|<[^>\\n]*\\.\\.)")
 (#set! rule "c.include")
 (#set! message "A file of code has a name that says so: `.h`, `.hpp`, `.inc`, `.c` ..., so that it is checked as the program is. What is data goes into an array, or is read when the program runs."))
([(preproc_include path: [(identifier) (call_expression)] @refuse)
  (preproc_call directive: (preproc_directive) @_d argument: (_) @refuse)]
 (#match? @_d "^#\\s*(import|include_next)$")
 (#match? @refuse "^\\s*[A-Za-z_]")
 (#set! rule "c.include")
 (#set! message "`%s` hides which file is included. Write its name."))
