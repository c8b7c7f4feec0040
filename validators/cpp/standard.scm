;; C++, level standard: as C, and the names of namespace std.
;;
; inherits: ../c/standard.scm

([(qualified_identifier) (type_identifier)] @refuse
 (#path? @refuse "$process")
 (#set! rule "c.process")
 (#set! message "`%s` starts another process, and a program runs alone here. Write what it does in the program itself (`system(\"pause\")` and `system(\"cls\")` can simply go); for things at the same time use threads."))
((preproc_include path: (_) @refuse)
 (#match? @refuse "^[<\"](boost/process|boost/asio|boost/dll)")
 (#set! rule "c.process")
 (#set! message "%s is for other processes or the network, and a program runs alone here."))
