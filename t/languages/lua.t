# A language more is a block in a file and nothing else: the example of
# conf/languages.d.

use strict;
use warnings;

use Codr::Host qw(need top);
use Codr::Nginx;
use Test::More;

need(qw(module helper /usr/bin/lua5.4));

my $nginx = Codr::Nginx->new(
    http => 'include ' . top() . '/conf/languages.d/*.conf;');
ok($nginx->ready, 'the server is ready');

my $client = $nginx->ws;
$client->execute(language => 'lua', args => ['6'], code => <<'END');
io.write("Number? ")
io.flush()
print(io.read("n") * tonumber(arg[1]))
END
ok($client->expect(qr/Number\? $/), 'it asks');
$client->input("7\n");
my $job = $client->finish;
is($job->{status}, 'ok', 'it runs');
is($client->{output}, "42\r\n", 'it answers');

my ($lua) = grep { $_->{name} eq 'lua' }
    @{ $nginx->get('/languages')->{json}{languages} };
ok($lua->{available}, 'it is among the languages');
like($lua->{version}, qr/^Lua 5\.4/, 'with its version');

$nginx->finish;

# One whose program is not there takes nothing down.
$nginx = Codr::Nginx->new(http => <<'END');
codr_language nonesuch { source main.x; run /usr/bin/nonesuch $source; }
END
ok($nginx->ready, 'the server is ready all the same');
my ($missing) = grep { $_->{name} eq 'nonesuch' }
    @{ $nginx->get('/languages')->{json}{languages} };
ok(!$missing->{available}, 'a language without its program is not available');
ok($missing->{reason}, 'and why is said');
is($nginx->run_job(language => 'nonesuch', code => 'x')->{error}{code},
    'unavailable', 'its jobs are refused');
is($nginx->run_job(language => 'python', code => 'print(1)')->{status}, 'ok',
    'the others run');

$nginx->finish;
done_testing();
