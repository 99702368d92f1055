//! Every role at every RPC: refused for its role exactly when the access rule says so.

use kernel::ids::{BookingId, MemberId, PackageId, StaffId};
use proto::{
    access::{self, Role, Rule},
    booking::v1 as pb,
};
use testkit::with_token;
use tonic::{Code, Request, Status};

use crate::world::{World, at, id, reason};

/// The services of the package; the event feed has a test of its own in its library.
const PREFIX: &str = "/meridian.booking.v1.";

/// Calls an RPC by its path with a request that names what there is. What is missing in it is asked for only after the
/// role was found good.
async fn call(world: &World, path: &str, token: Option<&str>) -> Result<(), Status> {
    let (mut bookings, mut catalog) = (world.bookings(), world.catalog());
    let (mut life, mut packages, mut roster) = (world.life(), world.packages(), world.roster());
    let (mut rotations, mut preferences) = (world.rotations(), world.preferences());
    let mut groups = world.groups();
    let group = missing("bookingGroups");
    let mut calendars = world.calendars();
    let (mut waitlist, mut walk_ins) = (world.waitlist(), world.walk_ins());
    let booking = BookingId::new(testkit::START).name();
    let package = PackageId::new(testkit::START).name();
    let (store, item) = (world.store.clone(), world.item.clone());
    macro_rules! send {
        ($client:ident.$rpc:ident($message:expr)) => {
            $client.$rpc(signed($message, token)).await.map(drop)
        };
    }
    match path.strip_prefix(PREFIX).expect("an RPC of booking") {
        "BookingService/SearchSlots" => {
            send!(bookings.search_slots(pb::SearchSlotsRequest { store, item, ..Default::default() }))
        }
        "BookingService/ExplainSlots" => {
            send!(bookings.explain_slots(pb::ExplainSlotsRequest { store, item, ..Default::default() }))
        }
        "BookingService/HoldSlot" => send!(bookings.hold_slot(world.hold(at(1)))),
        "BookingService/GetBooking" => send!(bookings.get_booking(pb::GetBookingRequest { name: booking })),
        "BookingService/ListBookings" => send!(bookings.list_bookings(pb::ListBookingsRequest::default())),
        "BookingService/CancelBooking" => {
            let request = pb::CancelBookingRequest { name: booking, request_id: id(), ..Default::default() };
            send!(bookings.cancel_booking(request))
        }
        "BookingService/CheckInBooking" => {
            send!(bookings.check_in_booking(pb::CheckInBookingRequest { name: booking, request_id: id() }))
        }
        "BookingService/StartBooking" => {
            send!(bookings.start_booking(pb::StartBookingRequest { name: booking, request_id: id() }))
        }
        "BookingService/CompleteBooking" => {
            send!(bookings.complete_booking(pb::CompleteBookingRequest { name: booking, request_id: id() }))
        }
        "LifeCycleService/ExtendHold" => {
            send!(life.extend_hold(pb::ExtendHoldRequest { name: booking, request_id: id() }))
        }
        "LifeCycleService/ProposeTimes" => {
            send!(life.propose_times(pb::ProposeTimesRequest { name: booking, ..Default::default() }))
        }
        "LifeCycleService/RescheduleBooking" => {
            send!(life.reschedule_booking(pb::RescheduleBookingRequest { name: booking, ..Default::default() }))
        }
        "LifeCycleService/MoveBooking" => {
            send!(life.move_booking(pb::MoveBookingRequest { name: booking, ..Default::default() }))
        }
        "LifeCycleService/ExtendBooking" => {
            send!(life.extend_booking(pb::ExtendBookingRequest { name: booking, ..Default::default() }))
        }
        "LifeCycleService/PreviewCancel" => {
            send!(life.preview_cancel(pb::PreviewCancelRequest { name: booking, ..Default::default() }))
        }
        "LifeCycleService/MarkNoShow" => {
            send!(life.mark_no_show(pb::MarkNoShowRequest { name: booking, request_id: id() }))
        }
        "CalendarService/GetCalendar" => {
            send!(calendars.get_calendar(pb::GetCalendarRequest { token: "none".to_owned() }))
        }
        "CalendarService/GetBookingCalendar" => {
            send!(calendars.get_booking_calendar(pb::GetBookingCalendarRequest { name: booking }))
        }
        "CalendarService/CreateCalendarLink" => {
            send!(calendars.create_calendar_link(pb::CreateCalendarLinkRequest::default()))
        }
        "CalendarService/ListCalendarLinks" => {
            send!(calendars.list_calendar_links(pb::ListCalendarLinksRequest { store, ..Default::default() }))
        }
        "CalendarService/RevokeCalendarLink" => {
            send!(calendars.revoke_calendar_link(pb::RevokeCalendarLinkRequest::default()))
        }
        "CatalogService/GetStore" => send!(catalog.get_store(pb::GetStoreRequest { name: store })),
        "CatalogService/ListStores" => send!(catalog.list_stores(pb::ListStoresRequest::default())),
        "CatalogService/CreateStore" => send!(catalog.create_store(pb::CreateStoreRequest::default())),
        "CatalogService/UpdateStore" => send!(catalog.update_store(pb::UpdateStoreRequest::default())),
        "CatalogService/GetItem" => send!(catalog.get_item(pb::GetItemRequest { name: item })),
        "CatalogService/ListItems" => send!(catalog.list_items(pb::ListItemsRequest::default())),
        "CatalogService/CreateItem" => send!(catalog.create_item(pb::CreateItemRequest::default())),
        "CatalogService/UpdateItem" => send!(catalog.update_item(pb::UpdateItemRequest::default())),
        "CatalogService/RetireItem" => send!(catalog.retire_item(pb::RetireItemRequest::default())),
        "CatalogService/GetTherapist" => {
            send!(catalog.get_therapist(pb::GetTherapistRequest { name: world.therapists[0].clone() }))
        }
        "CatalogService/ListTherapists" => {
            send!(catalog.list_therapists(pb::ListTherapistsRequest { store, ..Default::default() }))
        }
        "CatalogService/CreateTherapist" => send!(catalog.create_therapist(pb::CreateTherapistRequest::default())),
        "CatalogService/UpdateTherapist" => send!(catalog.update_therapist(pb::UpdateTherapistRequest::default())),
        "CatalogService/RetireTherapist" => send!(catalog.retire_therapist(pb::RetireTherapistRequest::default())),
        "CatalogService/GetRoom" => send!(catalog.get_room(pb::GetRoomRequest { name: world.rooms[0].clone() })),
        "CatalogService/ListRooms" => send!(catalog.list_rooms(pb::ListRoomsRequest { store, ..Default::default() })),
        "CatalogService/CreateRoom" => send!(catalog.create_room(pb::CreateRoomRequest::default())),
        "CatalogService/UpdateRoom" => send!(catalog.update_room(pb::UpdateRoomRequest::default())),
        "CatalogService/RetireRoom" => send!(catalog.retire_room(pb::RetireRoomRequest::default())),
        "CatalogService/ListShifts" => {
            send!(catalog.list_shifts(pb::ListShiftsRequest { store, ..Default::default() }))
        }
        "CatalogService/CreateShift" => send!(catalog.create_shift(pb::CreateShiftRequest::default())),
        "GroupService/SearchGroupTimes" => {
            send!(groups.search_group_times(pb::SearchGroupTimesRequest { store, ..Default::default() }))
        }
        "GroupService/HoldGroup" => send!(groups.hold_group(pb::HoldGroupRequest { store, ..Default::default() })),
        "GroupService/GetGroup" => send!(groups.get_group(pb::GetGroupRequest { name: group })),
        "GroupService/ListGroups" => send!(groups.list_groups(pb::ListGroupsRequest::default())),
        "GroupService/CancelGroup" => {
            let request = pb::CancelGroupRequest { name: group, request_id: id(), ..Default::default() };
            send!(groups.cancel_group(request))
        }
        "PackageService/GetPackage" => send!(packages.get_package(pb::GetPackageRequest { name: package })),
        "PackageService/ListPackages" => send!(packages.list_packages(pb::ListPackagesRequest::default())),
        "PackageService/CreatePackage" => send!(packages.create_package(pb::CreatePackageRequest::default())),
        "PackageService/UpdatePackage" => send!(packages.update_package(pb::UpdatePackageRequest::default())),
        "PackageService/RetirePackage" => send!(packages.retire_package(pb::RetirePackageRequest::default())),
        "RosterService/GetShiftPattern" => {
            send!(roster.get_shift_pattern(pb::GetShiftPatternRequest { name: missing("shiftPatterns") }))
        }
        "RosterService/ListShiftPatterns" => {
            send!(roster.list_shift_patterns(pb::ListShiftPatternsRequest { store, ..Default::default() }))
        }
        "RosterService/CreateShiftPattern" => {
            send!(roster.create_shift_pattern(pb::CreateShiftPatternRequest::default()))
        }
        "RosterService/UpdateShiftPattern" => {
            send!(roster.update_shift_pattern(pb::UpdateShiftPatternRequest::default()))
        }
        "RosterService/DeleteShiftPattern" => {
            send!(roster.delete_shift_pattern(pb::DeleteShiftPatternRequest::default()))
        }
        "RosterService/UpdateShift" => send!(roster.update_shift(pb::UpdateShiftRequest::default())),
        "RosterService/DeleteShift" => send!(roster.delete_shift(pb::DeleteShiftRequest::default())),
        "RosterService/ListShiftExceptions" => {
            send!(roster.list_shift_exceptions(pb::ListShiftExceptionsRequest::default()))
        }
        "RosterService/SetShiftException" => {
            send!(roster.set_shift_exception(pb::SetShiftExceptionRequest::default()))
        }
        "RosterService/ClearShiftException" => {
            send!(roster.clear_shift_exception(pb::ClearShiftExceptionRequest::default()))
        }
        "RosterService/GetBlock" => send!(roster.get_block(pb::GetBlockRequest { name: missing("blocks") })),
        "RosterService/ListBlocks" => send!(roster.list_blocks(pb::ListBlocksRequest::default())),
        "RosterService/CreateBlock" => send!(roster.create_block(pb::CreateBlockRequest::default())),
        "RosterService/UpdateBlock" => send!(roster.update_block(pb::UpdateBlockRequest::default())),
        "RosterService/DeleteBlock" => send!(roster.delete_block(pb::DeleteBlockRequest::default())),
        "RosterService/GetTimeOffRequest" => {
            send!(roster.get_time_off_request(pb::GetTimeOffRequestRequest { name: missing("timeOffRequests") }))
        }
        "RosterService/ListTimeOffRequests" => {
            send!(roster.list_time_off_requests(pb::ListTimeOffRequestsRequest { store, ..Default::default() }))
        }
        "RosterService/CreateTimeOffRequest" => {
            send!(roster.create_time_off_request(pb::CreateTimeOffRequestRequest::default()))
        }
        "RosterService/ApproveTimeOffRequest" => {
            send!(roster.approve_time_off_request(pb::ApproveTimeOffRequestRequest::default()))
        }
        "RosterService/RejectTimeOffRequest" => {
            send!(roster.reject_time_off_request(pb::RejectTimeOffRequestRequest::default()))
        }
        "RosterService/WithdrawTimeOffRequest" => {
            send!(roster.withdraw_time_off_request(pb::WithdrawTimeOffRequestRequest::default()))
        }
        "RosterService/ListCalendarDays" => {
            send!(roster.list_calendar_days(pb::ListCalendarDaysRequest::default()))
        }
        "RosterService/SetCalendarDays" => send!(roster.set_calendar_days(pb::SetCalendarDaysRequest::default())),
        "RosterService/GetDay" => send!(roster.get_day(pb::GetDayRequest { store, ..Default::default() })),
        "RotationService/GetRotation" => send!(rotations.get_rotation(pb::GetRotationRequest::default())),
        "RotationService/ListRotationLog" => {
            send!(rotations.list_rotation_log(pb::ListRotationLogRequest::default()))
        }
        "RotationService/JoinRotation" => send!(rotations.join_rotation(pb::JoinRotationRequest::default())),
        "RotationService/LeaveRotation" => send!(rotations.leave_rotation(pb::LeaveRotationRequest::default())),
        "RotationService/SkipTurn" => send!(rotations.skip_turn(pb::SkipTurnRequest::default())),
        "RotationService/ResumeTurn" => send!(rotations.resume_turn(pb::ResumeTurnRequest::default())),
        "RotationService/PenaliseTurn" => send!(rotations.penalise_turn(pb::PenaliseTurnRequest::default())),
        "RotationService/MoveTurn" => send!(rotations.move_turn(pb::MoveTurnRequest::default())),
        "RotationService/SetRotationRules" => {
            send!(rotations.set_rotation_rules(pb::SetRotationRulesRequest::default()))
        }
        "PreferenceService/ListTherapistPreferences" => {
            send!(preferences.list_therapist_preferences(pb::ListTherapistPreferencesRequest::default()))
        }
        "PreferenceService/SetTherapistPreference" => {
            send!(preferences.set_therapist_preference(pb::SetTherapistPreferenceRequest::default()))
        }
        "WaitlistService/JoinWaitlist" => send!(waitlist.join_waitlist(pb::JoinWaitlistRequest::default())),
        "WaitlistService/GetWaitlistEntry" => {
            send!(waitlist.get_waitlist_entry(pb::GetWaitlistEntryRequest { name: missing("waitlistEntries") }))
        }
        "WaitlistService/ListWaitlistEntries" => {
            send!(waitlist.list_waitlist_entries(pb::ListWaitlistEntriesRequest::default()))
        }
        "WaitlistService/LeaveWaitlist" => send!(waitlist.leave_waitlist(pb::LeaveWaitlistRequest::default())),
        "WaitlistService/AcceptOffer" => send!(waitlist.accept_offer(pb::AcceptOfferRequest::default())),
        "WalkInService/JoinQueue" => send!(walk_ins.join_queue(pb::JoinQueueRequest::default())),
        "WalkInService/GetQueueTicket" => {
            send!(walk_ins.get_queue_ticket(pb::GetQueueTicketRequest { name: missing("queueTickets") }))
        }
        "WalkInService/ShowQueue" => send!(walk_ins.show_queue(pb::ShowQueueRequest { store })),
        "WalkInService/ListQueueTickets" => {
            send!(walk_ins.list_queue_tickets(pb::ListQueueTicketsRequest { store }))
        }
        "WalkInService/LeaveQueue" => send!(walk_ins.leave_queue(pb::LeaveQueueRequest::default())),
        "WalkInService/CallNext" => send!(walk_ins.call_next(pb::CallNextRequest::default())),
        "WalkInService/SkipTicket" => send!(walk_ins.skip_ticket(pb::SkipTicketRequest::default())),
        unknown => unreachable!("{unknown} is new: add it here"),
    }
}

/// The name of something that is not there.
fn missing(collection: &str) -> String {
    format!("{collection}/{}", id())
}

fn signed<T>(message: T, token: Option<&str>) -> Request<T> {
    match token {
        Some(token) => with_token(message, token),
        None => Request::new(message),
    }
}

fn token(world: &World, role: Role) -> String {
    match role {
        Role::Member => testkit::keys().member_token(MemberId::new(testkit::START)),
        Role::Service => testkit::keys().service_token("marketing"),
        staff => world.staff(staff),
    }
}

fn rpcs() -> impl Iterator<Item = (&'static str, Rule)> {
    access::ALL.iter().filter(|(path, _)| path.starts_with(PREFIX)).map(|(path, rule)| (*path, *rule))
}

#[tokio::test]
async fn a_role_is_refused_exactly_when_the_rule_says_so() {
    let world = World::new(1, 1).await;
    for (path, rule) in rpcs() {
        for role in Role::ALL {
            let outcome = call(&world, path, Some(&token(&world, *role))).await;
            let refused = outcome.as_ref().is_err_and(|status| reason(status) == "ROLE_NOT_ALLOWED");
            assert_eq!(refused, !rule.admits(&[*role]), "{path} as {role}: {outcome:?}");
            if let Err(status) = outcome {
                // Past the rule, nothing goes wrong but what the request lacks.
                let fine = [Code::InvalidArgument, Code::NotFound];
                assert!(
                    refused && status.code() == Code::PermissionDenied || fine.contains(&status.code()),
                    "{status:?}"
                );
            }
        }
    }
}

#[tokio::test]
async fn nobody_gets_in_without_a_token_unless_it_is_public() {
    let world = World::new(1, 1).await;
    for (path, rule) in rpcs() {
        let outcome = call(&world, path, None).await;
        let refused = outcome.as_ref().is_err_and(|status| status.code() == Code::Unauthenticated);
        assert_eq!(refused, !rule.public, "{path}: {outcome:?}");
    }
}

/// Roles that members and services alone have are worth nothing in the token of staff.
#[tokio::test]
async fn staff_cannot_pose_as_members_or_services() {
    let world = World::new(1, 1).await;
    for role in [Role::Member, Role::Service] {
        let posing = testkit::keys().staff_token(StaffId::new(testkit::START), [role], None);
        for (path, _) in rpcs().filter(|(_, rule)| !rule.public) {
            let refused = call(&world, path, Some(&posing)).await.expect_err(path);
            assert_eq!(refused.code(), Code::PermissionDenied, "{path}: {refused:?}");
        }
    }
}
