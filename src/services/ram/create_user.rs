//! `CreateUser`.

use super::fields;
use super::user_model::{OneUser, UserModel};
use crate::api::action::{Action, Ctx, FromParams, Permission, Write};
use crate::api::error::{ApiError, Code};
use crate::api::params::Params;
use crate::world::{User, World};

/// Makes a user, who has no keys and no policies.
///
/// Source: ram.md 4.
pub(super) struct CreateUser;

/// How many users an account can have (ram.md 4, documented).
const MOST: usize = 1000;

#[derive(Debug)]
pub(super) struct Input {
    user_name: String,
    display_name: Option<String>,
    mobile_phone: Option<String>,
    email: Option<String>,
    comments: Option<String>,
}

impl FromParams for Input {
    fn from_params(params: &Params<'_>) -> Result<Self, ApiError> {
        Ok(Self {
            user_name: fields::USER_NAME.required(params)?,
            display_name: fields::DISPLAY_NAME.read(params)?,
            mobile_phone: fields::MOBILE_PHONE.read(params)?,
            email: fields::EMAIL.read(params)?,
            comments: fields::COMMENTS.read(params)?,
        })
    }
}

impl Action for CreateUser {
    const NAME: &'static str = "CreateUser";
    type Input = Input;
    type Reply = OneUser;

    fn needs(ctx: &Ctx<'_>, _input: &Input, _world: &World) -> Vec<Permission> {
        vec![super::all("ram:CreateUser", ctx, "user")]
    }
}

impl Write for CreateUser {
    fn call(ctx: &Ctx<'_>, world: &mut World, input: Input) -> Result<OneUser, ApiError> {
        let account = ctx.caller.account;
        if world.user(account, &input.user_name).is_some() {
            return Err(Code::UserExists.into());
        }
        if world.users(account).count() >= MOST {
            return Err(Code::TooManyUsers.into());
        }
        let text = |given: Option<String>| given.unwrap_or_default().into();
        let mut user = User::new(world.new_ram_id(ctx.ids), account, &input.user_name, ctx.now);
        user.display_name = text(input.display_name);
        user.mobile_phone = text(input.mobile_phone);
        user.email = text(input.email);
        user.comments = text(input.comments);
        let reply = OneUser::new(ctx, UserModel::created(&user));
        world.add_user(user);
        Ok(reply)
    }
}
