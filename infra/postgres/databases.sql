-- A database for each service, which only that service's user may enter.
create role orders login password 'orders';
create database orders owner orders;
revoke connect on database orders from public;

create role inventory login password 'inventory';
create database inventory owner inventory;
revoke connect on database inventory from public;

create role email login password 'email';
create database email owner email;
revoke connect on database email from public;
