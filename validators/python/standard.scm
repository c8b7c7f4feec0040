; inherits: light

([(identifier) (attribute)] @refuse
  (#path? @refuse "eval" "exec" "compile")
  (#set! rule "python.eval")
  (#set! message "%s runs text as a program. Write the program itself, or use ast.literal_eval() for values."))

([(identifier) (attribute) (call) (subscript)] @refuse
  (#path? @refuse "os.system" "os.popen" "os.exec*" "os.spawn*" "os.fork*" "subprocess" "subprocess.*")
  (#set! rule "python.process")
  (#set! message "%s starts another process. Programs here run alone."))
