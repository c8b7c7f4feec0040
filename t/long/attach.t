# A thousand broken lines: nothing of what a job writes is lost or repeated.

use strict;
use warnings;

use Codr::Follow;
use Codr::Host qw(need);
use Codr::Nginx;
use Digest::SHA qw(sha256_hex);
use Test::More;

need(qw(module helper /usr/bin/python3));

my $nginx = Codr::Nginx->new(workers => 2);
$nginx->ready;

my @pieces = Codr::Follow::pieces(12_000);
my @text = Codr::Follow::text(@pieces);
my $got = Codr::Follow::follow($nginx, { Codr::Follow::message(2, @pieces) },
    drops => 1000, every => sub { $nginx->reload if $_[0] % 100 == 0 });
is($got->{complete}{status} // $got->{error}{code}, 'ok', 'the job ends');
is($got->{drops}, 1000, 'after a thousand broken lines and ten reloads');
is($got->{gaps}, 0, 'output goes on where it ended');
is(sha256_hex($got->{text}[0]), sha256_hex($text[0]),
    'not a byte of stdout is lost or repeated');
is(sha256_hex($got->{text}[1]), sha256_hex($text[1]), 'nor of stderr');

$nginx->finish;
done_testing();
