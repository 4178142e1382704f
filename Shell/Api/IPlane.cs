using System.Threading.Tasks;

namespace Agent.Shell.Api;

/// <summary>The way to the plane, as far as the local API speaks of it.</summary>
internal interface IPlane
{
    /// <summary>Null while no plane is configured.</summary>
    PlaneHealth? Health { get; }

    /// <summary>Looks again for a plane and an identity, as after an enrolment.</summary>
    Task AttachAsync();
}

/// <summary>How it goes with the plane. A failure is one since the last answer.</summary>
internal sealed record PlaneHealth(
    string Url, string? Host, string? CertificateUntil, string? HeardAt, string? Failure, string? FailedAt);
