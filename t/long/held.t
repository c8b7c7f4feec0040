# A clone that waits for its verdict has read and compiled its program by then,
# and nobody can tell: what comes out is what plain python3 prints, and what a
# clone has counted is what one counts that did not wait.

use strict;
use warnings;

use Codr::Host qw(need slurp wait_until);
use Codr::Nginx;
use Codr::Python qw(bare plain programs request);
use Test::More;

need(qw(plain root module helper /usr/bin/python3));

my $nginx = Codr::Nginx->new(path => 'zygote', policy => 0,
    server => 'location = /off { codr_exec; codr_policy off; codr_memory 600m;'
        . ' codr_output 4m; }',
    location => 'codr_policy warn light; codr_ast_nodes 1000000;'
        . ' codr_output 4m; codr_memory 600m;');
$nginx->ready or BAIL_OUT($nginx->log);
ok(wait_until(60, sub {
    ($nginx->post('/run', request('', "print(1)\n"))->{json}{path} // '')
        eq 'zygote' && $nginx->validators > 2;
}), 'jobs are clones, and there is who checks them');

# It has its streams, and nothing to do: it has come as far as it may.
sub waits {
    my ($pid) = @_;
    return (readlink("/proc/$pid/fd/1") // '') =~ /^pipe:/
        && slurp("/proc/$pid/stat") =~ /\) S /;
}

sub run_held {
    my @program = @_;
    my @held = $nginx->hold_validators;
    my $client = Codr::Client->connect(port => $nginx->port, timeout => 60);
    $client->send_request(method => 'POST', path => '/run',
        headers => [ 'Content-Type: application/json' ],
        body => Codr::Client::encode(request(@program)));
    my $waits = wait_until(4, sub {
        grep { waits($_) } $nginx->sandbox_processes });
    kill CONT => @held;
    return ($client->answer(60)->{json}, $waits);
}

my ($all, $waited) = (0, 0);
for my $program (programs()) {
    my ($name, $code, %o) = @{$program};
    my ($job, $waits) = run_held(@{$program});
    $all++;
    $waited += $waits ? 1 : 0;
    is(plain($job), bare($code, %o), $name) or diag(explain($job));
    is($job->{path}, $o{path} // 'zygote', "$name: a clone or not");
}
cmp_ok($waited, '>', $all / 2, 'most of them have waited');

# What no other interpreter has alike.
my $counts = "import gc, resource, sys, warnings\n"
    . "print(gc.get_count(), gc.get_stats(), len(gc.get_objects()),"
    . " [type(o).__name__ for o in gc.get_objects()][-20:],"
    . " len(sys.modules), warnings.filters, sys.getsizeof(warnings.filters),"
    . " sys._getframe().f_back, sys.intern('sys') is 'sys')\n"
    . "def f():\n    return {1: '\xc3\xa4', 2: [i for i in 'abc']}\n"
    . "print(f())\n";
my @counted = map { $_->{stdout} } (run_held('', $counts))[0],
    $nginx->post('/off', request('', $counts))->{json};
like($counted[0], qr/^\(\d/, 'a clone counts');
is($counted[0], $counted[1], 'as one that has not waited');

$nginx->finish;
done_testing();
