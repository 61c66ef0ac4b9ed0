"""What happens to a customer besides payments. What raises is signed; what lowers is not."""

from schemas.application_event import (
    ApplicationDeclined,
    ApplicationSubmitted,
    ApplicationWithdrawn,
    AttestationPresented,
    CallbackAnswered,
    CallbackConfirmed,
    CallbackMissed,
    ContactChanged,
    CredentialChanged,
    CreditAssessed,
    IdentityVerified,
    ScreeningCompleted,
    SecondFactorFailed,
    SourceOfFundsVerified,
)
from schemas.event import Event, EvidenceItem, SignedEvent
from schemas.standing_event import (
    AccountFrozen,
    AccountUnfrozen,
    AdmissionApproved,
    CustomerConfirmed,
    CustomerDenied,
    DeviceRegistered,
    LimitChangeApproved,
    LimitChangeRequested,
    PayeeAdded,
    SuppressionApproved,
    SuppressionEnded,
    TierReinstated,
    TierRemoved,
    TierSuspended,
)

__all__ = ["AccountFrozen", "AccountUnfrozen", "AdmissionApproved", "CustomerEvent", "DeviceRegistered", "Event"]
__all__ += ["EvidenceItem", "PayeeAdded", "SignedEvent"]

CustomerEvent = (
    ApplicationSubmitted
    | ApplicationWithdrawn
    | ApplicationDeclined
    | IdentityVerified
    | CreditAssessed
    | ScreeningCompleted
    | SourceOfFundsVerified
    | AttestationPresented
    | ContactChanged
    | CredentialChanged
    | SecondFactorFailed
    | CallbackAnswered
    | CallbackMissed
    | CallbackConfirmed
    | AdmissionApproved
    | TierSuspended
    | TierReinstated
    | TierRemoved
    | LimitChangeRequested
    | LimitChangeApproved
    | SuppressionApproved
    | SuppressionEnded
    | DeviceRegistered
    | PayeeAdded
    | CustomerConfirmed
    | CustomerDenied
    | AccountFrozen
    | AccountUnfrozen
)
