; inherits: standard

((ERROR) @refuse
  (#set! rule "python.syntax")
  (#set! message "Python cannot read this: %s"))
((MISSING) @refuse
  (#set! rule "python.syntax")
  (#set! message "something is missing here"))
