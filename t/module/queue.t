# A job that waits: it can be stopped, and says nothing of a program that never
# ran.

use strict;
use warnings;

use Codr::Host qw(need);
use Codr::Nginx;
use Test::More;

need(qw(module helper /usr/bin/python3));

my $nginx = Codr::Nginx->new(http => <<'END');
codr_max_jobs 1 batch=1;
codr_language loud {
    source main.sh;
    version /bin/sh -c "printf '\n  \nloud 1.0\nof today\n'";
    run /bin/sh $source;
}
END
ok($nginx->ready, 'the server is ready');

my $first = $nginx->ws;
$first->execute(language => 'python', code => 'print("on"); input()');
ok($first->expect(qr/on/), 'one job runs');

my $second = $nginx->ws;
$second->execute(language => 'python', code => 'print("never")');
is($second->wait_for('queued')->{position}, 1, 'the next one waits');
$second->send(type => 'stop');
my $end = $second->finish->{complete};
is($end->{status}, 'stopped', 'it can be stopped');
ok(!exists $end->{signal}, 'no signal has ended it');
is($end->{cpu_time}, 0, 'it used nothing');
ok(exists $end->{exit_code} && !defined $end->{exit_code},
    'and has no exit code');

$first->input("\n");
is($first->finish->{status}, 'ok', 'the first one ends as it likes');

ok($nginx->ready(10, sub {
    my ($loud) = grep { $_->{name} eq 'loud' }
        @{ $nginx->get('/languages')->{json}{languages} };
    return ($loud->{version} // '') eq 'loud 1.0';
}), 'a version is the first line that says something');

$nginx->finish;

done_testing();
