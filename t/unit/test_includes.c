/*
 * Which sets of headers a source begins with; what is not understood is not
 * one of them.
 */

#include "tap.h"

#include <stdint.h>

#include "../../sandbox/codr_includes.h"


static int
choose(const char *text)
{
    static const char *const sets[] = { "iostream", "vector map", "all.h" };
    codr_list_t list = { (char **) (uintptr_t) sets, 3 };

    return codr_includes_choose(text, strlen(text), &list);
}


int
main(void)
{
    char zeros[64] = "#include <iostream>\n";
    codr_list_t none = { NULL, 0 };

    tap_number(choose("#include <iostream>\nint main"), 0, "one");
    tap_number(choose("#include <map>\n#include <vector>"), 1, "two");
    tap_number(choose("#include <map>\n#include <a>\n#include <vector>\n"
                      "#include <iostream>\n"), 1, "the last that fits");
    tap_number(choose("#include<all.h>\r\n"), 2, "without a blank");
    tap_number(choose("// a\n/* b\n * c */ # \t include <iostream> // d\n"), 0,
               "comments");
    tap_number(choose("#include <map>\n"), -1, "half a set");
    tap_number(choose("#include \"iostream\"\n"), -1, "a file of their own");
    tap_number(choose("int x;\n#include <iostream>\n"), -1, "too late");
    tap_number(choose("#define A\n#include <iostream>\n"), -1, "a macro");
    tap_number(choose("#if 0\n#include <iostream>\n"), -1, "a condition");
    tap_number(choose("// a \\\n#include <iostream>\n"), -1,
               "a comment that goes on");
    tap_number(choose("/*\\\n*/\n#include <iostream>\n"), -1, "a backslash");
    tap_number(choose("/* #include <iostream>\n"), -1, "an open comment");
    tap_number(choose("#include <iostream\n>"), -1, "no name");
    tap_number(choose("#include_next <iostream>\n"), -1, "another word");
    tap_number(choose("#include <>\n"), -1, "an empty name");
    tap_number(choose("#"), -1, "the end");
    tap_number(choose(""), -1, "nothing");
    tap_number(codr_includes_choose(zeros, sizeof(zeros), &none), -1,
               "no sets");

    return tap_done();
}
