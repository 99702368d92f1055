//! Every role against every RPC.

use std::convert::Infallible;

use http::{Request, Response};
use prost::Message;
use prost_types::{FileDescriptorProto, FileDescriptorSet, MethodDescriptorProto, ServiceDescriptorProto};
use proto::access::{ALL, Role};
use tonic::{Code, Status, body::Body};
use tonic_types::StatusExt;
use tower::{Layer, ServiceExt, service_fn};

use crate::world::World;

/// What a server answers to an empty request for `path`, when each handler answers OK.
async fn answer(world: &World, path: &str, authorization: Option<&str>) -> Status {
    let handler = service_fn(|_: Request<Body>| async { Ok::<_, Infallible>(Status::ok("").into_http::<Body>()) });
    let mut request = Request::builder().uri(path);
    if let Some(value) = authorization {
        request = request.header("authorization", value);
    }
    let request = request.body(Body::empty()).expect("a valid request");
    let response: Response<Body> = world.layer().layer(handler).oneshot(request).await.expect("infallible");
    Status::from_header_map(response.headers()).expect("has a status")
}

#[tokio::test]
async fn each_role_enters_where_its_rule_says_and_nowhere_else() {
    let world = World::new();
    let callers: Vec<_> = Role::ALL.iter().map(|role| (*role, world.authorization_of(*role))).collect();
    for (path, rule) in ALL {
        for (role, authorization) in &callers {
            let status = answer(&world, path, Some(authorization)).await;
            if rule.public || rule.roles.contains(role) {
                assert_eq!(status.code(), Code::Ok, "{path} as {role}");
                continue;
            }
            assert_eq!(status.code(), Code::PermissionDenied, "{path} as {role}");
            let info = status.get_details_error_info().expect("has an ErrorInfo");
            assert_eq!(info.reason, "ROLE_NOT_ALLOWED");
            let needed: Vec<Role> =
                info.metadata["needed_roles"].split(',').map(|name| name.parse().expect("a role")).collect();
            assert_eq!(needed, rule.roles, "{path}");
        }
        let nobody = answer(&world, path, None).await;
        if rule.public {
            assert_eq!(nobody.code(), Code::Ok, "{path} as nobody");
        } else {
            assert_eq!(nobody.code(), Code::Unauthenticated, "{path} as nobody");
            let reason = nobody.get_details_error_info().map(|info| info.reason);
            assert_eq!(reason.as_deref(), Some("TOKEN_MISSING"));
        }
        let bad = answer(&world, path, Some("Bearer abc")).await;
        assert_eq!(bad.code(), Code::Unauthenticated, "{path} with a bad token");
    }
}

#[tokio::test]
async fn only_what_has_a_rule_is_served() {
    let world = World::new();
    for path in ["/grpc.health.v1.Health/Check", "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"] {
        assert_eq!(answer(&world, path, None).await.code(), Code::Ok, "{path}");
    }
    let known = ALL.first().expect("there are RPCs").0;
    let unknown = [
        "/".to_owned(),
        "/meridian.booking.v1.BookingService/Steal".to_owned(),
        "/other.Service/Method".to_owned(),
        format!("/{known}"),
        format!("{known}/"),
        known.to_lowercase(),
    ];
    for path in unknown {
        let status = answer(&world, &path, Some(&world.authorization_of(Role::Administrator))).await;
        assert_eq!(status.code(), Code::Unimplemented, "{path}");
    }
}

#[test]
fn every_rpc_of_ours_has_a_rule() {
    rpc::check_rules(proto::DESCRIPTOR_SET).expect("rules and RPCs match");
}

#[test]
fn an_rpc_without_a_rule_is_named() {
    let mut set = FileDescriptorSet::decode(proto::DESCRIPTOR_SET).expect("a descriptor set");
    let method = MethodDescriptorProto { name: Some("Steal".to_owned()), ..Default::default() };
    let service =
        ServiceDescriptorProto { name: Some("TillService".to_owned()), method: vec![method], ..Default::default() };
    set.file.push(FileDescriptorProto {
        package: Some("meridian.payment.v1".to_owned()),
        service: vec![service],
        ..Default::default()
    });
    let error = rpc::check_rules(&set.encode_to_vec()).expect_err("one has no rule");
    assert!(error.chain().contains("[\"/meridian.payment.v1.TillService/Steal\"]"), "{}", error.chain());
    assert!(rpc::check_rules(&[]).is_err(), "rules without an RPC are stale");
}
