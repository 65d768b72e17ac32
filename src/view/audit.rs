//! JSON shape of an audit's report.

use serde::Serialize;

use crate::domain::audit::{Difference, Report};

use super::values::Ltc;

/// The report of `litegate audit --json`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AuditView {
    pub(crate) clean: bool,
    pub(crate) received_ltc: Ltc,
    pub(crate) paid_ltc: Ltc,
    pub(crate) fees_ltc: Ltc,
    pub(crate) operator_fees_ltc: Ltc,
    pub(crate) in_flight_ltc: Ltc,
    pub(crate) unswept_ltc: Ltc,
    pub(crate) elsewhere_ltc: Ltc,
    /// Ids of mined sweeps that this database did not create and that follow our rules.
    pub(crate) recognised_sweeps: Vec<String>,
    pub(crate) differences: Vec<DifferenceView>,
}

#[derive(Debug, Serialize)]
pub(crate) struct DifferenceView {
    pub(crate) kind: &'static str,
    pub(crate) message: String,
}

impl DifferenceView {
    pub(crate) fn new(difference: &Difference) -> DifferenceView {
        DifferenceView { kind: difference.kind(), message: difference.to_string() }
    }
}

impl AuditView {
    pub(crate) fn new(report: &Report) -> AuditView {
        AuditView {
            clean: report.is_clean(),
            received_ltc: Ltc(report.received),
            paid_ltc: Ltc(report.paid),
            fees_ltc: Ltc(report.fees),
            operator_fees_ltc: Ltc(report.operator_fees),
            in_flight_ltc: Ltc(report.in_flight),
            unswept_ltc: Ltc(report.unswept),
            elsewhere_ltc: Ltc(report.elsewhere),
            recognised_sweeps: report.recognised.iter().map(ToString::to_string).collect(),
            differences: report.differences.iter().map(DifferenceView::new).collect(),
        }
    }
}
