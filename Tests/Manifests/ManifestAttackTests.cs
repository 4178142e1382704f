using System;
using System.Linq;
using System.Threading.Tasks;
using Agent.Shell.Trust;
using Agent.Tests.Support;
using Xunit;

namespace Agent.Tests.Manifests;

public sealed class ManifestAttackTests : IDisposable
{
    private readonly ManifestWorld _world = new();

    public static TheoryData<string> Attacks => [.. Attack.All.Select(attack => attack.ToString())];

    /// TR-1, TR-2, TR-4: what is not exactly what was signed, for this host and now, is refused with its code, and
    /// changes nothing; what is good comes through before and after it.
    [Theory]
    [MemberData(nameof(Attacks))]
    public async Task An_attack_is_refused_and_changes_nothing(string attack)
    {
        var committed = Attack.All.Single(one => one.ToString() == attack);
        var seen = TestRelease.Make(_world.Store.Archives, ("app", "seen"));
        Assert.Equal("taken", await _world.OfferAsync(_world.Bundle(_world.Manifest(Attack.Held, seen),
            _world.Descriptor(seen), seen)));
        Assert.Equal(committed.Code, await _world.UnchangedAsync(() => committed.RunAsync(_world)));
        _world.InstallTrust(_world.Trust());
        Assert.Equal("taken", await _world.OfferAsync(_world.Good(Attack.Next)));
    }

    /// TR-2: one can tell from the code which attack it was: a class of attacks has one, and no two share it. A class
    /// has many cases where they come to the same thing: a revoked key, one that signs twice and half a link of trust
    /// are fewer signers than are asked for; a truncated, a malleated and a borrowed signature are not of these bytes;
    /// a version past every bound and a number past every double are numbers that readers take for different ones.
    [Fact]
    public void Every_class_of_attacks_has_a_code_of_its_own()
    {
        var pairs = Attack.All.Select(attack => (attack.Class, attack.Code)).Distinct().ToList();
        Assert.Equal(pairs.Select(pair => pair.Class).Distinct(), pairs.Select(pair => pair.Class));
        Assert.Equal(pairs.Select(pair => pair.Code).Distinct(), pairs.Select(pair => pair.Code));
        Assert.Equal(Attack.All.Count, Attack.All.Select(attack => attack.ToString()).Distinct().Count());
    }

    /// TR-2: no code of a trust fault is without an attack that it stands for.
    [Fact]
    public void Every_code_is_the_answer_to_an_attack()
    {
        var answered = Attack.All.Select(attack => attack.Code).ToHashSet();
        var left = Enum.GetValues<TrustFault>().Select(TrustFaults.NameOf).Where(code => !answered.Contains(code));
        Assert.Empty(left);
    }

    public void Dispose() => _world.Dispose();
}
