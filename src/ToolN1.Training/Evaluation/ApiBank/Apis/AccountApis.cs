using ToolN1.Training.Evaluation.Python;
using static ToolN1.Training.Evaluation.ApiBank.Apis.PyArguments;

namespace ToolN1.Training.Evaluation.ApiBank.Apis;

/// <summary>Accounts, passwords, tokens and bank.</summary>
internal static class AccountApis
{
    private static readonly PyValue VerificationCode = PyValue.Of(970420L);

    public static IEnumerable<SimulatedApi> All { get; } =
    [
        new("CheckToken", "token:str", (a, db) => Dict("username", PyValue.Of(db.CheckToken(a["token"]))), SimulatedApi.AllEqual),
        new("GetUserToken", "username:str password:str", GetUserToken, SimulatedApi.AllEqual),
        new("RegisterUser", "username:str password:str email:str", RegisterUser, IsRegistered),
        new("DeleteAccount", "token:str", DeleteAccount, SimulatedApi.AllEqual),
        new("ModifyPassword", "token:str old_password:str new_password:str", ModifyPassword, SimulatedApi.AllEqual),
        new("ForgotPassword", "status:str username*:str email*:str verification_code*:int new_password*:str", ForgotPassword, SimulatedApi.AllEqual),
        new("OpenBankAccount", "account:str password:str name:str", OpenBankAccount, SimulatedApi.AllEqual),
        new("QueryBalance", "token:str", QueryBalance, IsSameBalance),
    ];

    private static PyValue GetUserToken(PyDict a, ApiDatabase db)
    {
        if (!TryFind(db.Table("Account"), a["username"], out PyValue account))
        {
            throw Raise("The username does not exist.");
        }

        return PyValue.Equal(account.Entries["password"], a["password"])
            ? Dict("token", account.Entries["token"])
            : throw Raise("The password is incorrect.");
    }

    private static PyValue RegisterUser(PyDict a, ApiDatabase db)
    {
        PyDict accounts = db.Table("Account");
        if (TryFind(accounts, a["username"], out _))
        {
            throw Raise("The username already exists.");
        }

        // The original draws a random token and its comparison ignores it; ours is the same in every run.
        PyValue token = PyValue.Of("simulated-token-" + accounts.Count);
        accounts[PyText.Str(a["username"])] = PyValue.Of(new PyDict { ["password"] = a["password"], ["token"] = token, ["email"] = a["email"] });
        return Dict("token", token);
    }

    private static bool IsRegistered(ApiResult response, ApiResult truth) =>
        !(truth.Output.IsNone && !response.Output.IsNone) && ApiResult.SameInput(response, truth) && ApiResult.SameException(response, truth);

    private static PyValue DeleteAccount(PyDict a, ApiDatabase db)
    {
        db.Table("Account").Remove(db.CheckToken(a["token"]));
        return Dict("status", Success);
    }

    private static PyValue ModifyPassword(PyDict a, ApiDatabase db)
    {
        PyDict account = db.Table("Account")[db.CheckToken(a["token"])].Entries;
        if (!PyValue.Equal(account["password"], a["old_password"]))
        {
            throw Raise("The old password is incorrect.");
        }

        account["password"] = a["new_password"];
        return Dict("status", Success);
    }

    private static PyValue ForgotPassword(PyDict a, ApiDatabase db)
    {
        PyDict accounts = db.Table("Account");
        if (a["status"].Is("Forgot Password"))
        {
            if (!a.TryGetValue("username", out PyValue? username) || !a.TryGetValue("email", out PyValue? email))
            {
                throw Raise("The username and email are required for the first call.");
            }

            if (!TryFind(accounts, username, out PyValue account))
            {
                throw Raise("The username does not exist.");
            }

            if (!PyValue.Equal(account.Entries["email"], email))
            {
                throw Raise("The email is incorrect.");
            }

            db.VerifiedUser = username.Text;
            db.VerificationCode = VerificationCode;
            return VerificationCode;
        }

        if (!a["status"].Is("Verification Code"))
        {
            throw Raise("The status is only 'Forgot Password' or 'Verification Code'.");
        }

        if (db.VerifiedUser is null)
        {
            throw Raise("You need to call the API with status 'Forgot Password' at first.");
        }

        if (!a.TryGetValue("new_password", out PyValue? password) || !a.TryGetValue("verification_code", out PyValue? code))
        {
            throw Raise("The new password and verification code are required for the second call.");
        }

        if (!PyValue.Equal(code, db.VerificationCode))
        {
            throw Raise("The verification code is incorrect.");
        }

        accounts[db.VerifiedUser].Entries["password"] = password;
        return Success;
    }

    private static PyValue OpenBankAccount(PyDict a, ApiDatabase db)
    {
        // The benchmark's one built-in account; accounts opened earlier in a session count too.
        PyDict opened = db.Table(ApiBankData.OpenedAccounts);
        if (opened.Any(entry => PyValue.Equal(entry.Value.Entries["account"], a["account"])))
        {
            return PyValue.Of("failed");
        }

        opened[PyText.Str(PyValue.Of(opened.Count + 1L))] = PyValue.Of(new PyDict { ["account"] = a["account"], ["password"] = a["password"], ["name"] = a["name"] });
        return Success;
    }

    private static PyValue QueryBalance(PyDict a, ApiDatabase db)
    {
        string username;
        try
        {
            Strip(a["token"]);
            username = db.CheckToken(a["token"]);
        }
        catch (PyException)
        {
            throw Raise("The token is incorrect.");
        }

        return db.Table("Bank").TryGetValue(username, out PyValue? account)
            ? account.Entries["balance"]
            : throw Raise("The user does not have an account.");
    }

    private static bool IsSameBalance(ApiResult response, ApiResult truth) =>
        string.Equals(Strip(response.Argument("token")), Strip(truth.Argument("token")), StringComparison.Ordinal) && ApiResult.SameOutcome(response, truth);
}
