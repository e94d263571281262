import { migration } from 'forerun';

// Data in plain SQL: somebody must be able to log in before the app can do anything at all.
export default migration({
  after: '0001_create_users',

  async up({ op }) {
    await op.execute(`
      insert into users (id, email, name, role, settings)
      values (
        '00000000-0000-4000-8000-000000000001', 'admin@example.com', 'Admin', 'admin',
        '{"newsletter": false, "language": "en"}'
      )
    `);
  },

  async down({ op }) {
    await op.execute(`delete from users where email = 'admin@example.com'`);
  },
});
