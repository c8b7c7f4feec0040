# codr_limit_jobs and the quotas of keys: so many jobs at once, so often, so
# much CPU time, for each value.  What lives is counted where it lives, so a
# killed worker leaves nothing behind; what comes back with time outlives a
# reload; and where there is no room for another value there is nothing to be
# had.

use strict;
use warnings;

use Codr::Host qw(need spew wait_until);
use Codr::Nginx;
use Digest::SHA qw(sha256_hex);
use Test::More;

need(qw(module helper));

my $dir = Codr::Nginx::dir();

sub keys_file {
    my (@lines) = @_;
    spew("$dir/keys", join '', map {"$_\n"} @lines);
    chmod 0600, "$dir/keys";
}

keys_file('alice ' . sha256_hex('old') . ' jobs=2',
    'alice ' . sha256_hex('new') . ' jobs=1 rate=100/m',
    'bob ' . sha256_hex('bob') . ' rate=2/h',
    'carol ' . sha256_hex('carol') . ' cpu=1ms/h',
    'dave ' . sha256_hex('dave'));

my $user = 'codr_limit_jobs $http_x_user';
my $nginx = Codr::Nginx->new(languages => 0, http => <<"END",
codr_zone codr:512k;
codr_language sh { source main.sh; run /bin/sh \$source; }
codr_language gone { source main.sh; run /usr/bin/no-such \$source; }
END
    server => <<"END");
location = /jobs { codr_exec; $user jobs=1; }
location = /rate { codr_exec; $user rate=3/h burst=2; }
location = /cpu  { codr_exec; $user cpu=1ms/h; }
location = /fast { codr_exec; $user rate=10000/s; }
location = /slow { codr_exec; $user rate=10/h; }
location = /keys { codr_exec; codr_auth key; codr_api_keys $dir/keys; }
location = /both {
    codr_exec;
    $user rate=2/h;
    codr_limit_jobs \$http_x_other rate=1/h;
}
END
ok($nginx->ready, 'the server is ready');

sub run {
    my ($path, $name, %o) = @_;
    my @headers = defined $name ? ("X-User: $name") : ();
    return $nginx->post($path, { language => 'sh', code => 'exit 0',
        %{ $o{body} // {} } }, headers => [ @headers, @{ $o{more} // [] } ]);
}

sub status { return run(@_)->{status} }

my $busy = 'i=0; while [ $i -lt 100000 ]; do i=$((i + 1)); done';

# At once.

sub hold {
    my ($path, @headers) = @_;
    my $ws = $nginx->ws(path => $path, headers => \@headers);
    $ws->execute(language => 'sh', code => 'echo on; read x');
    return $ws;
}

my $first = hold('/jobs', 'X-User: one');
ok($first->expect(qr/on/), 'one job');
my $refused = run('/jobs', 'one');
is($refused->{status}, 429, 'but not another one');
is($refused->{json}{code}, 'rate_limited', 'which is said');
cmp_ok($refused->{headers}{'retry-after'}, '>=', 1, 'Retry-After');
is($refused->{json}{retry_after}, $refused->{headers}{'retry-after'},
    'in the body, too');
my $second = hold('/jobs', 'X-User: one');
my $error = $second->finish->{error};
is($error->{code}, 'rate_limited', 'nor over a socket');
cmp_ok($error->{retry_after}, '>=', 1, 'with retry_after');
is(status('/jobs', 'two'), 200, 'another value has its own');
is(status('/jobs', ''), 200, 'an empty one is not counted');
is(status('/jobs'), 200, 'nor is none');
$first->input("\n");
is($first->finish->{complete}{status}, 'ok', 'the job ends');
$second->execute(language => 'sh', code => 'exit 0');
is($second->finish->{complete}{status}, 'ok', 'and the socket can go on');

my $killed = hold('/jobs', 'X-User: one');
ok($killed->expect(qr/on/), 'a job again');
kill KILL => $nginx->workers;
ok(wait_until(20, sub {
    return (eval { status('/jobs', 'one') } // 0) == 200;
}), 'a killed worker leaves no count behind');

# So often.

is(join(' ', map { status('/rate', 'one') } 1 .. 3), '200 200 429',
    'as many as fit into the bucket');
cmp_ok(run('/rate', 'one')->{headers}{'retry-after'}, '>', 600,
    'when there is another one');
is(status('/rate', 'two'), 200, 'another value has its own');
ok($nginx->reload && $nginx->ready, 'reload');
is(status('/rate', 'one'), 429, 'which a reload does not fill');
is(run('/rate', 'bad', body => { language => 7 })->{status}, 400,
    'what is no job');
is(join(' ', map { status('/rate', 'bad') } 1 .. 3), '200 200 429',
    'takes nothing');

my @both = map { run('/both', 'one', more => ["X-Other: $_"])->{status} }
    qw(a a b c);
is("@both", '200 429 200 429', 'from all buckets or from none');

# So much.

is(status('/cpu', 'one', body => { code => $busy }), 200, 'a job that works');
is(status('/cpu', 'one'), 429, 'has used it up');
is(status('/cpu', 'two'), 200, 'another value has its own');

my $left = $nginx->ws(path => '/cpu', headers => ['X-User: three']);
$left->execute(language => 'sh', code => "echo on; $busy; echo off");
ok($left->expect(qr/off/), 'a job that works');
$left->drop;
ok(wait_until(20, sub { status('/cpu', 'three') == 429 }),
    'whose client has left has used it up, too');

# Of keys.

sub with_key {
    my ($key, @more) = @_;
    return run('/keys', undef, more => ["X-API-Key: $key"], @more)->{status};
}

my $old = hold('/keys', 'X-API-Key: old');
ok($old->expect(qr/on/), 'a job by the old key');
is(with_key('new'), 429, 'counts for the new one of the same ID');
is(with_key('dave'), 200, 'not for another');
$old->input("\n");
ok($old->finish->{complete}, 'it ends');
is(with_key('new'), 200, 'now the new one can');
is(join(' ', map { with_key('bob') } 1 .. 3), '200 200 429', 'rate=');
is(with_key('carol', body => { code => $busy }), 200, 'cpu=');
is(with_key('carol'), 429, 'is used up');

my $idle = $nginx->ws(path => '/keys', headers => ['X-API-Key: old']);
keys_file('alice ' . sha256_hex('new'),
    'dave ' . sha256_hex('dave') . ' jobs=1');
ok($nginx->reload && $nginx->ready, 'reload');
is(with_key('old'), 401, 'a key that was removed starts no job');
is($idle->wait_for('(close)', 10)->{code}, 1012, 'nor does its socket');
is(with_key('new'), 200, 'the other one does');

# A zone that is full.

sub asked {
    my ($path, $name) = @_;
    return run($path, $name, body => { language => 'gone' })->{status};
}

my $refusals = grep { asked('/fast', "f$_") != 503 } 1 .. 1500;
is($refusals, 0, 'buckets that are full again make room');
my @slow = map { asked('/slow', "s$_") } 1 .. 1500;
cmp_ok(scalar(grep { $_ == 503 } @slow), '>', 100, 'many values fit');
is($slow[-1], 429, 'where none fits any more there is nothing to be had');
is(asked('/slow', 's1'), 503, 'who has a bucket keeps it');
is(status('/jobs', 'late'), 200, 'and other quotas go on');

$nginx->finish(expected => qr/exited on signal 9/);

done_testing();
