# A compiler works while its program is checked, and nobody hears of it before
# the verdict: who checks is stopped here until the compiler has ended.

use strict;
use warnings;

use Codr::Host qw(need slurp wait_until);
use Codr::Nginx;
use IO::Select;
use Test::More;

need(qw(plain root module helper /usr/bin/gcc));

my $nginx = Codr::Nginx->new(policy => 0,
    location => 'codr_policy block standard;',
    server => 'location = /off { codr_exec; codr_policy off; }'
        . ' location = /quota { codr_exec; codr_policy block standard;'
        . ' codr_limit_jobs $http_x_user cpu=300ms/h; }');
$nginx->ready or BAIL_OUT($nginx->log);
ok(wait_until(60, sub { $nginx->validators > 2 }), 'there is who checks');

# Long for a compiler, and nothing for who checks.
my $long = join "\n",
    '#include <stdio.h>',
    '#include <stdlib.h>',
    '#define F(n) int f##n(int i) { int s = 0;'
        . ' for (int k = 0; k < i; k++) s += k ^ i % (k + 3); return s; }',
    '#define T(n) ' . join(' ', map { "F(n##$_)" } 0 .. 9),
    '#define H(n) ' . join(' ', map { "T(n##$_)" } 0 .. 9),
    "H(1) H(2)\n";
my $main = 'int main(void) { printf("%d\n", f100(1)); return 0; }';

# The compiler has been seen, and is gone with its sandbox.
sub compiled {
    return wait_until(30, sub {
            grep { slurp("/proc/$_/comm") =~ /^cc1/ }
                $nginx->sandbox_processes })
        && wait_until(60, sub { !$nginx->sandbox_processes });
}

# The job of a program whose compiler has ended before its verdict is there.
my $number = 0;
sub run_held {
    my ($code, $do) = @_;
    $number++;
    my @held = $nginx->hold_validators;
    my $ws = $nginx->ws;
    $ws->execute(language => 'c', code => "$long$code\n// $number\n");
    ok(compiled(), "$number: it was compiled");
    ok(!IO::Select->new($ws->{s})->can_read(0), 'of which nobody heard');
    $do->($ws) if $do;
    kill CONT => @held unless $do;
    my $job = $ws->finish(60);
    kill CONT => @held;
    return $job;
}

my $job = run_held($main);
is($job->{stdout} // $job->{output}, "1\r\n", 'one that passes runs');
is(join(' ', grep { /^(?:started|stage|output|complete)$/ }
    map { $_->{type} } @{ $job->{messages} }),
    'started stage stage output complete', 'and is told all in order');

$job = run_held("_Static_assert(sizeof(int) == 3, \"told late\");\n$main");
is($job->{error}{code}, 'compile_error', 'a mistake is a mistake');
like($job->{error}{message}, qr/told late/, 'and told');

$job = run_held("#warning nobody hears this\n"
    . 'int main(void) { return system("true"); }');
is($job->{error}{code}, 'rejected', 'one that is refused does not run');
is($job->{error}{diagnostics}[0]{rule}, 'c.process', 'for what it is');
unlike(join('', map { $_->{text} // '' } @{ $job->{messages} }),
    qr/nobody hears/, 'and its compiler is not heard');
is_deeply([ grep { $_->{type} =~ /^(?:started|stage)$/ }
    @{ $job->{messages} } ], [], 'nor that it ever began');

# Nor what it said when it was allowed to.
my %before = (language => 'c', code => "#include <stdlib.h>\n"
    . "#warning was heard\n" . 'int main(void) { return system("true"); }');
like($nginx->post('/off', \%before)->{json}{compile}{output}, qr/was heard/,
    'a compiler is heard where nothing is checked');
my $after = $nginx->post('/run', \%before)->{json};
is($after->{code}, 'rejected', 'the same program is refused elsewhere');
is($after->{compile}, undef, 'where its compiler is not heard');

$job = run_held("#warning nobody hears this\n$main",
    sub { $_[0]->send(type => 'stop') });
is($job->{status}, 'stopped', 'who stops it need not wait for the verdict');
unlike(join('', map { Codr::Client::encode($_) } @{ $job->{messages} }),
    qr/nobody hears/, 'nor hears its compiler');

$job = run_held("$main // in vain", sub { });
is($job->{error}{diagnostics}[0]{rule}, 'policy.unavailable',
    'without a verdict it is refused');

# A compiler of which less is known waits: it may execute what it reads.
SKIP: {
    skip 'needs rustc', 4 if !-x '/usr/bin/rustc';
    my $looks = 0;
    my @held = $nginx->hold_validators;
    my $ws = $nginx->ws;
    my $select = IO::Select->new($ws->{s});
    my @seen;
    $ws->execute(language => 'rust', code => 'fn main() { println!("1"); }');
    while (!$select->can_read(0.01)) {
        $looks++;
        push @seen, grep { /rustc/ }
            map { slurp("/proc/$_/comm") } $nginx->sandbox_processes;
    }
    my $job = $ws->finish(60);
    kill CONT => @held;
    is($job->{error}{diagnostics}[0]{rule}, 'policy.unavailable',
        'another compiler');
    cmp_ok($looks, '>', 3, 'waits a while');
    is("@seen", '', 'and does nothing without a verdict');
    $job = $nginx->run_job(language => 'rust',
        code => 'fn main() { println!("2"); }', timeout => 60);
    is($job->{status}, 'ok', 'with one it does');
}

# What the compiler took of a processor is its client's.
for my $code ('int main(void) { return 0; }',
    "${long}int main(void) { return system(\"true\"); }")
{
    my $user = length($code);
    my @held = $nginx->hold_validators;
    my $client = Codr::Client->connect(port => $nginx->port, timeout => 60);
    $client->send_request(method => 'POST', path => '/quota',
        headers => [ 'Content-Type: application/json', "X-User: $user" ],
        body => Codr::Client::encode({ language => 'c', code => $code }));
    ok(compiled(), 'it was compiled') if $code =~ /system/;
    kill CONT => @held;
    $client->answer(60);
    my $next = $nginx->post('/quota',
        { language => 'c', code => "int main(void) { return 1; }" },
        headers => [ "X-User: $user" ]);
    is($next->{status}, $code =~ /system/ ? 429 : 200,
        'refused or not, its time counts');
}

$nginx->finish(expected => qr/codr: /);
done_testing();
