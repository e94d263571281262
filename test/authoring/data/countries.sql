create table countries (code text, area bigint);
