# C++: g++, C++17.

use strict;
use warnings;

use Codr::Language;
use Test::More;

Codr::Language::check(
    name     => 'cpp',
    needs    => '/usr/bin/g++',
    compiled => 1,
    hello    => <<'END',
#include <iostream>
int main() { std::cout << "Hello a\u00e4\u20ac\U0001f600z" << std::endl; }
END
    guess    => <<'END',
#include <iostream>
int main()
{
    int n;
    while (std::cout << "Guess: " && std::cin >> n) {
        if (n == 42) {
            std::cout << "yes, 42\n";
            return 0;
        }
        std::cout << (n > 42 ? "lower\n" : "higher\n");
    }
    return 1;
}
END
    count    => <<'END',
#include <cstdio>
int main()
{
    long count = 0, sum = 0;
    for (int c; (c = std::getchar()) != EOF; count++) {
        sum += c;
    }
    std::printf("%ld %ld\n", count, sum);
}
END
    echo     => <<'END',
#include <iostream>
#include <string>
int main()
{
    for (std::string line; std::getline(std::cin, line); ) {
        std::cout << '[' << line << ']' << std::endl;
    }
}
END
    bytes    => <<'END',
#include <chrono>
#include <cstdio>
#include <string>
#include <thread>
int main()
{
    for (char c : std::string("a\u00e4\u20ac\U0001f600z")) {
        std::putchar(c);
        std::fflush(stdout);
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
}
END
    broken   => "int main()\n{\n    return x;\n}\n",
    broken_says => qr/^main\.cpp:3:\d+: error:/m,
    fails    => <<'END',
#include <stdexcept>
int main() {
    throw std::runtime_error("it went wrong");
}
END
    fails_says   => qr/runtime_error.*it went wrong/s,
    fails_status => 'signaled',
    exit     => <<'END',
#include <cstdlib>
int main(int argc, char **argv) { return argc > 1 ? std::atoi(argv[1]) : 99; }
END
    segv     => "int main() { return *(volatile int *) 8; }\n",
    abort    => "#include <cstdlib>\nint main() { std::abort(); }\n",
    args     => <<'END',
#include <cstdio>
int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        std::printf("[%s]", argv[i]);
    }
    std::puts("");
}
END
    files    => [
        'main.cpp' => "#include \"helper.hpp\"\n#include <iostream>\n"
            . "int main() { std::cout << \"from helper: \" << answer() "
            . "<< std::endl; }\n",
        'helper.hpp' => "int answer();\n",
        'helper.cc'  => "#include \"helper.hpp\"\n"
            . "int answer() { return 42; }\n",
    ],
    threads  => <<'END',
#include <atomic>
#include <cstdio>
#include <thread>
#include <vector>
int main()
{
    std::atomic<long> sum{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; t++) {
        threads.emplace_back([&] {
            for (int i = 1; i <= 1000; i++) {
                sum += i;
            }
        });
    }
    for (auto &t : threads) {
        t.join();
    }
    std::printf("%ld\n", sum.load());
}
END
    streams  => <<'END',
#include <iostream>
int main() { std::cout << "out\n"; std::cerr << "err\n"; }
END
    more     => \&more,
);

sub more {
    my ($nginx) = @_;
    my $job = $nginx->run_job(language => 'c++', timeout => 60,
        code => <<'END');
#include <bits/stdc++.h>
static_assert(__cplusplus == 201703L, "C++17");
int main()
{
    std::map<std::string, std::optional<int>> m{{"a", 1}, {"b", {}}};
    for (auto &[key, value] : m) {
        std::cout << key << value.value_or(-1) << std::endl;
    }
}
END
    is($job->{stdout}, "a1\r\nb-1\r\n", 'C++17 with its whole library')
        or diag(explain($job->{error}));
}
