# A clone of node that waits for its verdict has found its script by then, and
# opened no file of its job's; nobody can tell: what comes out is what comes of
# one that had none to wait for.

use strict;
use warnings;

use Codr::Host qw(need slurp wait_until);
use Codr::Javascript qw(program programs server);
use Codr::Nginx;
use JSON::PP ();
use Test::More;

need(qw(module helper root /usr/bin/node));

my $nginx = server('warm 3; zygote node; grammar javascript;'
    . ' policy javascript;', policy => 0,
    server => 'location = /off { codr_exec; codr_policy off; codr_output 4m;'
        . ' codr_cpu_time 60s; codr_timeout 60s; }',
    location => 'codr_policy warn light; codr_ast_nodes 1000000;'
        . ' codr_output 4m; codr_cpu_time 60s; codr_timeout 60s;');
$nginx->ready or BAIL_OUT($nginx->log);

sub cloned {
    my $path = '';
    return wait_until(120, sub {
        $path = $nginx->post('/off', { language => 'javascript', code => '' })
            ->{json}{path} // '';
        return $path eq 'zygote' || $nginx->log =~ /no node zygote/;
    }) && $path eq 'zygote';
}

if (!cloned()) {
    $nginx->finish;
    plan(skip_all => 'this node is none for a zygote');
}
ok(wait_until(60, sub { $nginx->validators > 2 }), 'there is who checks');
unlike($nginx->log, qr/clones of node do nothing ahead/, 'clones go ahead');

# It has gone as far as it may: the kernel gives it no file.
sub waits {
    my ($pid) = @_;
    return slurp("/proc/$pid/limits") =~ /^Max open files\s+3 /m
        && slurp("/proc/$pid/stat") =~ /\) S /;
}

# What its client gets, and whether it was seen to wait.
my $number = 0;

sub run_held {
    my ($request, $check) = @_;
    my @held = $nginx->hold_validators;
    my $client = Codr::Client->connect(port => $nginx->port, timeout => 60);
    $client->send_request(method => 'POST', path => '/run',
        headers => [ 'Content-Type: application/json' ],
        body => Codr::Client::encode($request));
    my @waiting;
    my $waits = wait_until(4, sub {
        @waiting = grep { waits($_) } $nginx->sandbox_processes });
    $check->(@waiting) if $check && $waits;
    kill CONT => @held;
    return ($client->answer(60)->{json}, $waits);
}

my %programs = programs();
my %more = (
    'modules' => [ 'import os from "os"; console.log(os.EOL.length,'
        . ' import.meta.url)', [ 'package.json', '{"type":"module"}' ] ],
    'a package' => [ 'console.log(require("./package.json").name)',
        [ 'package.json', '{"name":"x"}' ] ],
    'a broken package' => [ 'console.log(1)', [ 'package.json', '{' ] ],
    'several files' => [ 'console.log(require("./a").b, __filename,'
        . ' require("fs").readFileSync(__filename, "utf8").length)',
        [ 'a.js', 'exports.b = module.parent.filename' ] ],
    'another module' => [ 'import("./a.mjs").then((a) => console.log(a))',
        [ 'a.mjs', 'export const b = await 1' ] ],
    'its descriptors' => [ 'const fs = require("fs");'
        . ' console.log(fs.openSync(__filename),'
        . ' fs.readFileSync("/proc/self/limits", "utf8")'
        . '.match(/Max open files.*/)[0],'
        . ' fs.readFileSync("/proc/self/status", "utf8")'
        . '.match(/^(Name|Sig|Shd).*/mg))' ],
    'a comment' => [ '// nothing' ],
    'nothing' => [ '' ],
);
my ($all, $waited) = (0, 0);
for my $name (sort(keys %programs), sort keys %more) {
    my ($code, $file) = $more{$name} ? @{ $more{$name} }
        : $programs{$name};
    my %request = (language => 'javascript', stdin => "one\ntwo\n",
        args => [ 'a', 'b' ], files => [
            { name => 'main.js', content => $code },
            $file ? { name => $file->[0], content => $file->[1] } : () ]);
    my $off = $nginx->post('/off', \%request)->{json};
    ok(cloned(), "$name: there are clones");
    my ($job, $waits) = run_held(\%request);
    $all++;
    $waited += $waits ? 1 : 0;
    # how many times node says this of one signal is a race of its own
    s/^(Starting inspector .*\n)\1+/$1/m for $job->{stderr}, $off->{stderr};
    is_deeply([ @$job{qw(stdout stderr status exit_code signal path)} ],
        [ @$off{qw(stdout stderr status exit_code signal path)} ], $name)
        or diag(explain([ $job, $off ]));
}
cmp_ok($waited, '>', $all * 0.8, 'most of them have waited');

# The time in which it waits is not its own.
my ($late) = run_held({ language => 'javascript', code => 'console.log('
    . 'process.uptime() < 1.5, performance.now() < 1500,'
    . ' Math.abs(performance.timeOrigin + performance.now() - Date.now())'
    . ' < 1000); const t = performance.now(); setTimeout(() =>'
    . ' console.log(performance.now() - t > 8), 10);' },
    sub { sleep 2 });
is($late->{stdout}, "true true true\ntrue\n", 'its clocks begin when it does');

sub end_it {
    my @waiting = @_;
    kill KILL => @waiting;
    ok(wait_until(10, sub { !grep { -d "/proc/$_" } @waiting }), 'it ends');
    return;
}

# Nothing of one that is refused is heard, and its end is nobody's.
for my $end (0, 1) {
    ok(cloned(), 'there are clones');
    my ($none) = run_held({ language => 'javascript',
        code => "console.log('x')\n// " . 'n' x 2e6 },
        $end ? \&end_it : undef);
    is($none->{stdout} // '', '', 'what is refused says nothing');
    isnt($none->{status} // '', 'ok', 'and was not there');
    my ($job) = run_held({ language => 'javascript',
        code => "console.log('x$end')" }, $end ? \&end_it : undef);
    is($job->{stdout}, "x$end\n", 'what passes runs');
    is($job->{path}, $end ? 'cold' : 'zygote', 'in another one, or the same');
}

# On a terminal.
ok(cloned(), 'there are clones, once more');
my @held = $nginx->hold_validators;
my $ws = $nginx->ws;
$ws->execute(language => 'javascript', tty => JSON::PP::true,
    code => 'console.log(process.stdin.isTTY + " " + process.stdout.columns)');
ok(wait_until(10, sub { grep { waits($_) } $nginx->sandbox_processes }),
    'it waits on a terminal');
kill CONT => @held;
is($ws->finish->{stdout}, "true 80\r\n", 'which it knows');

$nginx->finish;
done_testing();
