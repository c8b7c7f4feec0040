# C: gcc, C11.

use strict;
use warnings;

use Codr::Language;
use Test::More;

Codr::Language::check(
    name     => 'c',
    needs    => '/usr/bin/gcc',
    compiled => 1,
    hello    => <<'END',
#include <stdio.h>
int main(void) { puts("Hello a\u00e4\u20ac\U0001f600z"); }
END
    guess    => <<'END',
#include <stdio.h>
int main(void)
{
    int n;
    for ( ;; ) {
        printf("Guess: ");
        fflush(stdout);
        if (scanf("%d", &n) != 1) {
            return 1;
        }
        if (n == 42) {
            puts("yes, 42");
            return 0;
        }
        puts(n > 42 ? "lower" : "higher");
    }
}
END
    count    => <<'END',
#include <stdio.h>
int main(void)
{
    long count = 0, sum = 0;
    int c;
    while ((c = getchar()) != EOF) {
        count++;
        sum += c;
    }
    printf("%ld %ld\n", count, sum);
}
END
    echo     => <<'END',
#include <stdio.h>
#include <string.h>
int main(void)
{
    char line[256];
    while (fgets(line, sizeof(line), stdin)) {
        line[strcspn(line, "\n")] = '\0';
        printf("[%s]\n", line);
        fflush(stdout);
    }
}
END
    bytes    => <<'END',
#define _GNU_SOURCE
#include <string.h>
#include <unistd.h>
int main(void)
{
    const char *text = "a\u00e4\u20ac\U0001f600z";
    for (size_t i = 0; i < strlen(text); i++) {
        if (write(1, text + i, 1) != 1) {
            return 1;
        }
        usleep(20000);
    }
}
END
    broken   => "int main(void)\n{\n    return x\n}\n",
    broken_says => qr/^main\.c:3:\d+: error:/m,
    fails    => <<'END',
#include <assert.h>
int main(int argc, char **argv) {
    assert(argc == 99 && argv);
}
END
    fails_says   => qr/main\.c:3: main: Assertion/,
    fails_status => 'signaled',
    exit     => <<'END',
#include <stdlib.h>
int main(int argc, char **argv) { return argc > 1 ? atoi(argv[1]) : 99; }
END
    segv     => "int main(void) { return *(volatile int *) 8; }\n",
    abort    => "#include <stdlib.h>\nint main(void) { abort(); }\n",
    args     => <<'END',
#include <stdio.h>
int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        printf("[%s]", argv[i]);
    }
    puts("");
}
END
    files    => [
        'main.c' => "#include \"lib/helper.h\"\n#include <stdio.h>\n"
            . "int main(void) { printf(\"from helper: %d\\n\", answer()); }\n",
        'lib/helper.h' => "int answer(void);\n",
        'lib/helper.c' => "#include \"helper.h\"\n"
            . "int answer(void) { return 42; }\n",
    ],
    threads  => <<'END',
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
static atomic_long sum;
static void *work(void *arg)
{
    for (int i = 1; i <= 1000; i++) {
        sum += i;
    }
    return arg;
}
int main(void)
{
    pthread_t t[4];
    for (int i = 0; i < 4; i++) {
        if (pthread_create(&t[i], NULL, work, NULL)) {
            return 1;
        }
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(t[i], NULL);
    }
    printf("%ld\n", (long) sum);
}
END
    streams  => <<'END',
#include <stdio.h>
int main(void) { puts("out"); fputs("err\n", stderr); }
END
    more     => \&more,
);

sub more {
    my ($nginx) = @_;
    my $job = $nginx->run_job(language => 'C', code => <<'END');
#include <math.h>
#include <stdio.h>
int main(int argc, char **argv)
{
    _Static_assert(__STDC_VERSION__ == 201112L, "C11");
    printf("%.3f %s\n", sqrt(argc + 1.0), argv[0] ? "named" : "");
}
END
    is($job->{stdout}, "1.414 named\r\n", 'C11 with its mathematics');

    $job = $nginx->run_job(language => 'c', code => <<'END');
#include "/etc/shadow"
int main(void) { return 0; }
END
    is($job->{status}, 'compile_error', 'files of the host are not there');
    like($job->{error}{message}, qr/shadow: No such file/, 'as it is said');

    $job = $nginx->run_job(language => 'c', code => <<'END', timeout => 60,
#include "main.c"
int main(void) { return 0; }
END
        );
    is($job->{status}, 'compile_error', 'a source that includes itself ends');
}
