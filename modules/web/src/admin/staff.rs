//! Who works here, and what each role may do.

use actix_web::{http::StatusCode, web};
use askama::Template;
use contracts::customer::{CustomerId, NewStaff, Permission, Role, StaffMember};

use crate::{
    Answer, Page,
    app::{at, get, post},
    forms::{Fields, Post},
    page::Undo,
};

pub fn configure(config: &mut web::ServiceConfig) {
    at(config, "/admin/staff", [get(list), post(add)]);
    at(config, "/admin/staff/{id}/role", [post(change)]);
}

#[derive(Template)]
#[template(path = "admin/staff.html")]
struct List<'a> {
    p: &'a Page,
    f: Fields,
    members: Vec<StaffMember>,
    roles: Vec<Role>,
}

impl List<'_> {
    fn is_you(&self, member: &StaffMember) -> bool {
        self.p.claims.as_ref().is_some_and(|claims| claims.sub == member.id)
    }

    fn has(&self, member: &StaffMember, role: &str) -> bool {
        member.roles.iter().any(|known| known == role)
    }

    /// A role by its name, in words where we have them.
    fn role(&self, name: &str) -> String {
        role(self.p, name)
    }

    fn grants(&self, role: &Role, permission: &Permission) -> bool {
        role.permissions.contains(permission)
    }

    fn permissions(&self) -> [Permission; 20] {
        Permission::ALL
    }

    /// `orders:refund` in words.
    fn permission(&self, permission: &Permission) -> String {
        let name =
            serde_json::to_value(permission).ok().and_then(|name| name.as_str().map(ToOwned::to_owned));
        self.p.t(&format!("may-{}", name.unwrap_or_default().replace(':', "-")))
    }
}

fn role(p: &Page, name: &str) -> String {
    match name {
        "owner" => p.t("role-owner"),
        "manager" => p.t("role-manager"),
        "support" => p.t("role-support"),
        other => other.to_owned(),
    }
}

async fn page(p: &Page, status: StatusCode, f: Fields) -> Answer {
    let (members, roles) = (p.ports().customers.staff().await?, p.ports().customers.roles().await?);
    p.html_as(status, &List { p, f, members, roles })
}

async fn list(p: Page) -> Answer {
    p.staff(Permission::StaffRead)?;
    page(&p, StatusCode::OK, Fields::default().with("role", "support")).await
}

async fn add(p: Page, form: Post<Fields>) -> Answer {
    p.staff(Permission::StaffWrite)?;
    let mut f = form.0;
    let email = f.parsed(&p, "email");
    let new = email.map(|email| NewStaff {
        email,
        name: f.given("name").map(ToOwned::to_owned),
        role: f.value("role").to_owned(),
        // As it was typed: spaces count in passwords.
        password: f.all("password").next().filter(|password| !password.is_empty()).map(ToOwned::to_owned),
    });
    if let Some(new) = new.filter(|_| !f.failed()) {
        match p.ports().customers.add_staff(new).await {
            Ok(member) => {
                let mut response = p.see_other("/admin/staff");
                p.notify(&mut response, "ok", p.text("staff-added").arg("name", &member.name));
                return Ok(response);
            }
            Err(error) => f.refuse(&p, &error),
        }
    }
    page(&p, StatusCode::UNPROCESSABLE_ENTITY, f).await
}

/// Another role, or none: then the person is a shopper like any other. Their sessions end.
async fn change(p: Page, id: web::Path<String>, form: Post<Fields>) -> Answer {
    p.staff(Permission::StaffWrite)?;
    let id: CustomerId = id.parse().map_err(|_| CustomerId::not_found())?;
    let members = p.ports().customers.staff().await?;
    let before = members.iter().find(|member| member.id == id).map(|member| member.roles.clone());
    let roles: Vec<String> =
        form.0.all("role").filter(|role| !role.is_empty()).map(ToOwned::to_owned).collect();
    let mut response = p.see_other("/admin/staff");
    match p.ports().customers.set_roles(id, roles).await {
        Ok(member) => {
            let text = match member.roles.first() {
                Some(name) => p.text("staff-is-now").arg("name", &member.name).arg("role", role(&p, name)),
                None => p.text("staff-removed").arg("name", &member.name),
            };
            let undo = Undo {
                action: p.link(&format!("/admin/staff/{id}/role")),
                label: p.t("undo"),
                fields: before
                    .unwrap_or_default()
                    .into_iter()
                    .map(|role| ("role".to_owned(), role))
                    .collect(),
            };
            p.notify_undoable(&mut response, "ok", text, Some(undo));
        }
        Err(error) => p.notify(&mut response, "bad", p.error(&error.code, &error.detail)),
    }
    Ok(response)
}
